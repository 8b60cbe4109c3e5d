/** Keeps what came from the environment out of what is printed. */

export interface Secrets {
  /** Remembers a value. */
  readonly add: (name: string, value: string) => void;
  /** The text with each value, and the password of each that is a URL, replaced by the name of its variable. */
  readonly hide: (text: string) => string;
}

/** Shorter values would be found in every second word. */
const SHORTEST = 4;

export function newSecrets(): Secrets {
  const values = new Map<string, string>();
  const remember = (value: string, name: string) => {
    if (value.length >= SHORTEST && value !== 'true' && value !== 'false') values.set(value, name);
  };
  return {
    add(name, value) {
      remember(value, name);
      for (const password of passwordsOf(value)) remember(password, name);
    },
    hide(text) {
      // The longest first: a password lies within its URL.
      const longestFirst = [...values].sort(([left], [right]) => right.length - left.length);
      return longestFirst.reduce(
        (hidden, [value, name]) => hidden.replaceAll(value, () => `\${${name}}`),
        text,
      );
    },
  };
}

function passwordsOf(value: string): string[] {
  if (!URL.canParse(value)) return [];
  const { password } = new URL(value);
  try {
    return [password, decodeURIComponent(password)];
  } catch {
    return [password];
  }
}
