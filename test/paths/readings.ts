/** A way in which an upstream may read a path. Texts hold one character a byte. */
export interface Reading {
  readonly name: string;
  read(path: string): string;
  /** Whether another case is the same to it: what opens promises nothing there, only what asks. */
  readonly foldsCase: boolean;
}

const SINGLE: Readonly<Record<string, (path: string) => string>> = {
  "as it is": (path) => path,
  "RFC 3986 dot removal": withoutDots,
  "escapes decoded": decoded,
  "parameters stripped": (path) => path.replace(/;[^/]*/g, ""),
  "backslash as slash": (path) => path.replaceAll("\\", "/"),
  "slashes merged": (path) => path.replace(/\/{2,}/g, "/"),
  "cut at NUL": (path) => path.replace(/(\0|%00).*$/s, ""),
  "cut at ? and #": (path) => path.replace(/[?#].*$/s, ""),
  "trailing slash dropped": (path) => (path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path),
  "overlong UTF-8 decoded": (path) => path.replace(/%c0%(ae|af)/gi, (_, low) => (/ae/i.test(low) ? "." : "/")),
  "Envoy's normalisation": (path) =>
    withoutDots(
      unescapedSlashes(path)
        .replaceAll("\\", "/")
        .replace(/\/{2,}/g, "/"),
    ),
  // Names are compared so, not the way in which they are written: a letter that is escaped is a letter (RFC 3986 §6.2.2).
  "ASCII case folded": (path) =>
    canonical(path).replace(/(%[0-9A-F]{2})|[A-Z]/g, (part) => (part.length > 1 ? part : part.toLowerCase())),
};

const FOLDS = "ASCII case folded";

/** Every way, and every two of them one after the other: decode then remove dots, decode twice, and so on. */
export const READINGS: readonly Reading[] = Object.entries(SINGLE).flatMap(([first, readFirst]) => [
  { name: first, read: readFirst, foldsCase: first === FOLDS },
  ...Object.entries(SINGLE).map(([second, readSecond]) => ({
    name: `${first}, then ${second}`,
    read: (path: string) => readSecond(readFirst(path)),
    foldsCase: first === FOLDS || second === FOLDS,
  })),
]);

/**
 * What RFC 3986 §6.2.2 calls the same: unreserved characters written as escapes, and the case of hex digits. Paths of one
 * reading are compared in this form.
 */
export function canonical(path: string): string {
  return path.replace(/%[0-9A-Fa-f]{2}/g, (triplet) => {
    const character = decoded(triplet);
    return /[A-Za-z0-9\-._~]/.test(character) ? character : triplet.toUpperCase();
  });
}

function decoded(path: string): string {
  return path.replace(/%([0-9A-Fa-f]{2})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 16)));
}

/** `normalize_path` with `path_with_escaped_slashes_action: UNESCAPE`: unreserved characters and slashes are decoded. */
function unescapedSlashes(path: string): string {
  return canonical(path).replace(/%2F/g, "/").replace(/%5C/g, "\\");
}

/** RFC 3986 §5.2.4, to the letter. */
function withoutDots(path: string): string {
  let input = path;
  let output = "";
  while (input !== "") {
    if (input.startsWith("/./")) input = input.slice(2);
    else if (input === "/.") input = "/";
    else if (input.startsWith("/../") || input === "/..") {
      input = `/${input.slice(4)}`;
      output = output.slice(0, Math.max(output.lastIndexOf("/"), 0));
    } else {
      const end = input.indexOf("/", 1);
      const segment = end === -1 ? input : input.slice(0, end);
      output += segment;
      input = input.slice(segment.length);
    }
  }
  return output;
}
