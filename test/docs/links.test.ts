import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const read = (page: string) => readFileSync(join(root, page), "utf8");
const PAGES = ["README.md", "CONTRIBUTING.md", ...readdirSync(join(root, "docs")).map((name) => `docs/${name}`)];

/** The links of a page within the repository: the file that each leads to, from the root, and the part of it. */
function linksOf(page: string): { link: string; file: string; part: string | undefined }[] {
  return [...read(page).matchAll(/\]\((?![a-z]+:)([^)\s]+)\)/g)].map(([, link = ""]) => {
    const [path = "", part] = link.split("#");
    return { link, file: path === "" ? page : relative(root, resolve(root, dirname(page), path)), part };
  });
}

/** What GitHub calls the parts of a page: their headings in lower case, hyphens for spaces, and no other marks. */
function partsOf(page: string): string[] {
  const headings = [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => heading);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

test.each(PAGES)("every link in %s leads to something", (page) => {
  const links = linksOf(page);
  const missing = links.filter(({ file }) => !existsSync(join(root, file)));
  expect(missing.map(({ link }) => link)).toEqual([]);
  const lost = links.filter(({ file, part }) => part !== undefined && !partsOf(file).includes(part));
  expect(lost.map(({ link }) => link)).toEqual([]);
});

test("a page has links, and parts that they lead to", () => {
  expect(linksOf("README.md").map(({ link }) => link)).toContain("docs/keys.md#owners");
  expect(partsOf("docs/keys.md")).toContain("owners");
  expect(partsOf("docs/keys.md")).not.toContain("owner");
});
