/** `${NAME}` in texts of the configuration, from the environment. What a variable holds is never parsed as configuration. */

export interface Variables {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Told each value that was put in: it may be a secret. */
  readonly onUse: (name: string, value: string) => void;
}

export interface Interpolated {
  readonly text: string;
  readonly isFromEnvironment: boolean;
  readonly problems: readonly { readonly message: string; readonly excerpt: string }[];
}

/** `$${` (a `${` that is meant), `${…}`, or one that does not end. */
const REFERENCE = /\$\$\{|\$\{([^}]*)\}|\$\{/g;
/** Behind `:-` stands what is taken where the variable is missing or empty. */
const INSIDE = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

export function interpolate(text: string, { env, onUse }: Variables): Interpolated {
  const problems: { message: string; excerpt: string }[] = [];
  let isFromEnvironment = false;
  const result = text.replaceAll(REFERENCE, (excerpt: string, inside: string | undefined) => {
    if (excerpt === '$${') return '${';
    const [, name, otherwise] = INSIDE.exec(inside ?? '') ?? [];
    if (name === undefined) {
      problems.push({ message: notAReference(inside), excerpt });
      return excerpt;
    }
    isFromEnvironment = true;
    const value = env[name];
    if (value === undefined && otherwise === undefined) {
      const message = `the environment has no variable ${name}: set it, or give a default, as in \${${name}:-default}`;
      problems.push({ message, excerpt });
      return excerpt;
    }
    if (value === undefined || (value === '' && otherwise !== undefined)) return otherwise ?? '';
    onUse(name, value);
    return value;
  });
  return { text: result, isFromEnvironment, problems };
}

function notAReference(inside: string | undefined): string {
  return inside === undefined
    ? 'a ${ that does not end with }: put the text in quotes, or write $${ for the characters themselves'
    : `\${${inside}} does not name a variable of the environment; write $\${ for the characters themselves`;
}
