/** Whether this Node runs `@platformatic/kafka`: that package says from which version on. */
const NEEDED = [22, 22] as const;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

export const canRunPlatformatic = major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1]);
export const whyNoPlatformatic = `@platformatic/kafka needs Node ${NEEDED.join('.')}, and this is ${process.version}`;
