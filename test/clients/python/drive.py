"""Drives one PyPI client: drive.py CLIENT URL prints a line of JSON for each scenario, what the client got.

Models are named in MODELS (JSON). Nothing here knows of Plimsoll: a client must not need to.
"""

import json
import os
import sys
import time

QUESTION = "Name three colours."
MESSAGES = [{"role": "user", "content": QUESTION}]
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"name": "get_weather", "description": "Current weather", "parameters": PARAMETERS}
TOOL = {"type": "function", "function": WEATHER}


def answer(text, input_tokens, output_tokens):
    return {"text": text, "inputTokens": input_tokens, "outputTokens": output_tokens}


def ollama(url):
    from ollama import Client

    client = Client(host=url)

    def stream(model):
        text, last = "", None
        for part in client.chat(model=model, messages=MESSAGES, stream=True):
            text += part.message.content or ""
            last = part
        return answer(text, last.prompt_eval_count, last.eval_count)

    def whole(model):
        got = client.chat(model=model, messages=MESSAGES)
        return answer(got.message.content, got.prompt_eval_count, got.eval_count)

    def tools(model):
        got = client.chat(model=model, messages=MESSAGES, tools=[TOOL])
        return {"tools": [call.function.model_dump() for call in got.message.tool_calls or []]}

    def cancel(model):
        stream = client.chat(model=model, messages=MESSAGES, stream=True)
        first = next(stream).message.content
        stream.close()
        return {"first": first}

    return dict(stream=stream, whole=whole, tools=tools, cancel=cancel, error=whole)


def openai(url):
    from openai import OpenAI

    client = OpenAI(base_url=f"{url}/v1", api_key="unused", max_retries=0)

    def stream(model):
        text, usage = "", None
        events = client.chat.completions.create(
            model=model, messages=MESSAGES, stream=True, stream_options={"include_usage": True}
        )
        for event in events:
            if event.choices:
                text += event.choices[0].delta.content or ""
            usage = event.usage or usage
        return answer(text, usage.prompt_tokens, usage.completion_tokens)

    def whole(model):
        got = client.chat.completions.create(model=model, messages=MESSAGES)
        return answer(got.choices[0].message.content, got.usage.prompt_tokens, got.usage.completion_tokens)

    def tools(model):
        got = client.chat.completions.create(model=model, messages=MESSAGES, tools=[TOOL])
        calls = got.choices[0].message.tool_calls or []
        return {"tools": [{"name": call.function.name, "arguments": call.function.arguments} for call in calls]}

    def cancel(model):
        events = client.chat.completions.create(model=model, messages=MESSAGES, stream=True)
        first = next(iter(events)).choices[0].delta.content
        events.close()
        return {"first": first}

    return dict(stream=stream, whole=whole, tools=tools, cancel=cancel, error=whole)


def anthropic(url):
    from anthropic import Anthropic

    client = Anthropic(base_url=url, api_key="unused", max_retries=0)
    ask = {"max_tokens": 64, "messages": MESSAGES}

    def usage_of(message):
        text = "".join(getattr(part, "text", "") for part in message.content)
        return answer(text, message.usage.input_tokens, message.usage.output_tokens)

    def stream(model):
        with client.messages.stream(model=model, **ask) as events:
            return usage_of(events.get_final_message())

    def whole(model):
        return usage_of(client.messages.create(model=model, **ask))

    def tools(model):
        tool = {"name": "get_weather", "description": "Current weather", "input_schema": PARAMETERS}
        got = client.messages.create(model=model, tools=[tool], **ask)
        return {"tools": [{"name": part.name, "input": part.input} for part in got.content if part.type == "tool_use"]}

    def cancel(model):
        with client.messages.create(model=model, stream=True, **ask) as events:
            for event in events:
                if event.type == "content_block_delta":
                    return {"first": event.delta.text}

    return dict(stream=stream, whole=whole, tools=tools, cancel=cancel, error=whole)


def langchain(url):
    from langchain_ollama import ChatOllama

    def chat(model):
        return ChatOllama(model=model, base_url=url)

    def usage_of(message):
        usage = message.usage_metadata or {}
        return answer(message.content, usage.get("input_tokens"), usage.get("output_tokens"))

    def stream(model):
        whole = None
        for chunk in chat(model).stream(QUESTION):
            whole = chunk if whole is None else whole + chunk
        return usage_of(whole)

    def whole(model):
        return usage_of(chat(model).invoke(QUESTION))

    def tools(model):
        got = chat(model).bind_tools([TOOL]).invoke(QUESTION)
        return {"tools": [{"name": call["name"], "args": call["args"]} for call in got.tool_calls]}

    def cancel(model):
        chunks = chat(model).stream(QUESTION)
        first = next(chunks).content
        chunks.close()
        return {"first": first}

    return dict(stream=stream, whole=whole, tools=tools, cancel=cancel, error=whole)


def llama_index(url):
    from llama_index.core.base.llms.types import ChatMessage
    from llama_index.core.tools import FunctionTool
    from llama_index.llms.ollama import Ollama

    messages = [ChatMessage(role="user", content=QUESTION)]

    def chat(model):
        return Ollama(model=model, base_url=url, context_window=4096)

    def usage_of(got):
        return answer(got.message.content, got.raw.get("prompt_eval_count"), got.raw.get("eval_count"))

    def stream(model):
        last = None
        for part in chat(model).stream_chat(messages):
            last = part
        return usage_of(last)

    def whole(model):
        return usage_of(chat(model).chat(messages))

    def get_weather(city: str) -> str:
        """Current weather"""
        return city

    def tools(model):
        llm = chat(model)
        tool = FunctionTool.from_defaults(get_weather)
        got = llm.chat_with_tools([tool], user_msg=QUESTION)
        calls = llm.get_tool_calls_from_response(got, error_on_no_tool_call=False)
        return {"tools": [{"name": call.tool_name, "args": call.tool_kwargs} for call in calls]}

    def cancel(model):
        parts = chat(model).stream_chat(messages)
        first = next(parts).delta
        parts.close()
        return {"first": first}

    return dict(stream=stream, whole=whole, tools=tools, cancel=cancel, error=whole)


def litellm(url):
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    import litellm as lib

    lib.telemetry = False
    lib.suppress_debug_info = True

    def ask(model, **more):
        return lib.completion(
            model=f"ollama_chat/{model}", messages=MESSAGES, api_base=url, num_retries=0, max_retries=0, **more
        )

    def stream(model):
        text = ""
        for chunk in ask(model, stream=True):
            text += chunk.choices[0].delta.content or ""
        return {"text": text}

    def whole(model):
        got = ask(model)
        return answer(got.choices[0].message.content, got.usage.prompt_tokens, got.usage.completion_tokens)

    def tools(model):
        got = ask(model, tools=[TOOL])
        calls = got.choices[0].message.tool_calls or []
        return {"tools": [{"name": call.function.name, "arguments": call.function.arguments} for call in calls]}

    def cancel(model):
        chunks = ask(model, stream=True)
        first = next(iter(chunks)).choices[0].delta.content
        # It has no close of its own: what people do is to drop it.
        getattr(chunks.completion_stream, "close", lambda: None)()
        response = getattr(chunks.completion_stream, "response", None)
        if response is not None:
            response.close()
        del chunks, response
        import gc

        gc.collect()
        return {"first": first}

    return dict(stream=stream, whole=whole, tools=tools, cancel=cancel, error=whole)


CLIENTS = {
    "ollama": ollama,
    "openai": openai,
    "anthropic": anthropic,
    "langchain-ollama": langchain,
    "llama-index-llms-ollama": llama_index,
    "litellm": litellm,
}


def main():
    name, url = sys.argv[1:3]
    models = json.loads(os.environ["MODELS"])
    client = CLIENTS[name](url)
    for scenario in ["stream", "whole", "tools", "cancel", "error"]:
        try:
            result = client[scenario](models[scenario])
        except Exception as error:  # Whatever a client raises is its result.
            status = getattr(error, "status_code", None)
            result = {"error": {"name": type(error).__name__, "status": status, "message": str(error)}}
        print(json.dumps({"scenario": scenario, "result": result}), flush=True)
        # A closed connection needs a moment to be seen as closed on the other side.
        time.sleep(0.15)
    os._exit(0)


main()
