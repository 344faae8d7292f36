import { expect, test } from "vitest";
import { isJudgeableMethod } from "../../src/check/method.ts";

test.each([
  ["GET", true],
  ["gET", false],
  ["GEt", false],
  ["get", false],
  ["", false],
  ["G", true],
  ["M-SEARCH", true],
  ["-SEARCH", false],
  ["VERSION_CONTROL", true],
  ["_CONTROL", false],
  ["CONNECT", false],
  ["CONNECTS", true],
  ["GET ", false],
  [" GET", false],
  ["GET,POST", false],
  ["GET\0", false],
  ["GET1", false],
  ["G\xc9T", false],
  ["[", false],
  ["@", false],
])("the method %j is judged: %s", (method, judged) => {
  expect(isJudgeableMethod(method)).toBe(judged);
});
