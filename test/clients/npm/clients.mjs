/** What people write with each client package, in its own words. */
import Anthropic from "@anthropic-ai/sdk";
import { ChatOllama } from "@langchain/ollama";
import { tool as langchainTool } from "@langchain/core/tools";
import { generateText, jsonSchema, streamText, tool } from "ai";
import { createOllama as createSdkOllama } from "ai-sdk-ollama";
import { Ollama } from "ollama";
import { createOllama } from "ollama-ai-provider-v2";
import OpenAI from "openai";

const QUESTION = "Name three colours.";
const messages = [{ role: "user", content: QUESTION }];
const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const weather = { name: "get_weather", description: "Current weather", parameters };
const functionTool = { type: "function", function: weather };

export const clients = {
  ollama(url) {
    const client = new Ollama({ host: url });
    return {
      async stream(model) {
        let text = "";
        let last;
        for await (const part of await client.chat({ model, messages, stream: true })) {
          text += part.message.content;
          last = part;
        }
        return { text, inputTokens: last.prompt_eval_count, outputTokens: last.eval_count };
      },
      async whole(model) {
        const answer = await client.chat({ model, messages });
        return {
          text: answer.message.content,
          inputTokens: answer.prompt_eval_count,
          outputTokens: answer.eval_count,
        };
      },
      async tools(model) {
        const answer = await client.chat({ model, messages, tools: [functionTool] });
        return { tools: answer.message.tool_calls?.map((call) => call.function) };
      },
      async cancel(model) {
        for await (const part of await client.chat({ model, messages, stream: true })) {
          client.abort();
          return { first: part.message.content };
        }
      },
      error: (model) => client.chat({ model, messages }),
    };
  },

  openai(url) {
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "unused", maxRetries: 0 });
    return {
      async stream(model) {
        let text = "";
        let usage;
        const stream = await client.chat.completions.create({
          model,
          messages,
          stream: true,
          stream_options: { include_usage: true },
        });
        for await (const event of stream) {
          text += event.choices[0]?.delta.content ?? "";
          usage = event.usage ?? usage;
        }
        return { text, inputTokens: usage.prompt_tokens, outputTokens: usage.completion_tokens };
      },
      async whole(model) {
        const { choices, usage } = await client.chat.completions.create({ model, messages });
        return {
          text: choices[0].message.content,
          inputTokens: usage.prompt_tokens,
          outputTokens: usage.completion_tokens,
        };
      },
      async tools(model) {
        const { choices } = await client.chat.completions.create({ model, messages, tools: [functionTool] });
        return { tools: choices[0].message.tool_calls?.map((call) => call.function) };
      },
      async cancel(model) {
        const stream = await client.chat.completions.create({ model, messages, stream: true });
        for await (const event of stream) {
          stream.controller.abort();
          return { first: event.choices[0]?.delta.content };
        }
      },
      error: (model) => client.chat.completions.create({ model, messages }),
    };
  },

  anthropic(url) {
    const client = new Anthropic({ baseURL: url, apiKey: "unused", maxRetries: 0 });
    const ask = { max_tokens: 64, messages };
    const usageOf = (message) => ({
      text: message.content.map((part) => part.text ?? "").join(""),
      inputTokens: message.usage.input_tokens,
      outputTokens: message.usage.output_tokens,
    });
    return {
      stream: async (model) => usageOf(await client.messages.stream({ model, ...ask }).finalMessage()),
      whole: async (model) => usageOf(await client.messages.create({ model, ...ask })),
      async tools(model) {
        const { content } = await client.messages.create({
          model,
          ...ask,
          tools: [{ name: weather.name, description: weather.description, input_schema: parameters }],
        });
        return {
          tools: content
            .filter((part) => part.type === "tool_use")
            .map(({ name, input }) => ({ name, input })),
        };
      },
      async cancel(model) {
        const stream = await client.messages.create({ model, ...ask, stream: true });
        for await (const event of stream) {
          if (event.type !== "content_block_delta") continue;
          stream.controller.abort();
          return { first: event.delta.text };
        }
      },
      error: (model) => client.messages.create({ model, ...ask }),
    };
  },

  "ollama-ai-provider-v2": (url) => vercel(createOllama({ baseURL: `${url}/api` })),
  "ai-sdk-ollama": (url) => vercel(createSdkOllama({ baseURL: url })),

  langchain(url) {
    const chat = (model) => new ChatOllama({ model, baseUrl: url, maxRetries: 0 });
    const usageOf = ({ content, usage_metadata: usage }) => ({
      text: content,
      inputTokens: usage?.input_tokens,
      outputTokens: usage?.output_tokens,
    });
    return {
      async stream(model) {
        let whole;
        for await (const chunk of await chat(model).stream(QUESTION)) whole = whole?.concat(chunk) ?? chunk;
        return usageOf(whole);
      },
      whole: async (model) => usageOf(await chat(model).invoke(QUESTION)),
      async tools(model) {
        const bound = chat(model).bindTools([langchainTool(() => "", { ...weather, schema: parameters })]);
        const { tool_calls: calls } = await bound.invoke(QUESTION);
        return { tools: calls.map(({ name, args }) => ({ name, args })) };
      },
      async cancel(model) {
        const controller = new AbortController();
        for await (const chunk of await chat(model).stream(QUESTION, { signal: controller.signal })) {
          controller.abort();
          return { first: chunk.content };
        }
      },
      error: (model) => chat(model).invoke(QUESTION),
    };
  },
};

/** Both providers behind the one `ai` package. */
function vercel(provider) {
  const settings = { prompt: QUESTION, maxRetries: 0 };
  const usageOf = (text, usage) => ({
    text,
    inputTokens: usage.inputTokens,
    outputTokens: usage.outputTokens,
  });
  return {
    async stream(model) {
      let failure;
      const result = streamText({
        model: provider(model),
        ...settings,
        onError: ({ error }) => (failure = error),
      });
      let text = "";
      for await (const part of result.textStream) text += part;
      if (failure !== undefined) throw failure;
      return usageOf(text, await result.usage);
    },
    async whole(model) {
      const { text, usage } = await generateText({ model: provider(model), ...settings });
      return usageOf(text, usage);
    },
    async tools(model) {
      const { toolCalls } = await generateText({
        model: provider(model),
        ...settings,
        tools: {
          get_weather: tool({ description: weather.description, inputSchema: jsonSchema(parameters) }),
        },
      });
      return { tools: toolCalls.map(({ toolName, input }) => ({ name: toolName, input })) };
    },
    async cancel(model) {
      const controller = new AbortController();
      const result = streamText({
        model: provider(model),
        ...settings,
        abortSignal: controller.signal,
        onError() {},
      });
      for await (const part of result.textStream) {
        controller.abort();
        return { first: part };
      }
    },
    error: (model) => generateText({ model: provider(model), ...settings }),
  };
}
