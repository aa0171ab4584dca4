import { expect, it } from "vitest";
import { createCompany } from "../../src/predict/speedAlone.ts";

it("an exchange is alone when no other was in progress at any time of it", () => {
  const company = createCompany();
  company.started("a");
  expect(company.ended("a")).toBe(true);
  company.started("b");
  company.started("c");
  expect(company.ended("c")).toBe(false);
  expect(company.ended("b")).toBe(false);
  company.started("d");
  expect(company.ended("d")).toBe(true);
});

it("one that came when another had just ended is alone", () => {
  const company = createCompany();
  company.started("a");
  company.started("b");
  company.ended("a");
  company.ended("b");
  company.started("a");
  expect(company.ended("a")).toBe(true);
});
