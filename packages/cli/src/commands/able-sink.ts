/** Which sink a command is about, where only some can do what it asks. */
import { EosError, type SinkAbilities, type SinkContext } from '@eos/core';
import type { LoadedPipeline } from '../configuration/load.js';
import { didYouMean } from '../configuration/suggest.js';

/** How a command calls an ability in its errors: `keep dead letters`, `keeps dead letters`. */
export interface AbilityWords {
  readonly can: string;
  readonly does: string;
}

export interface AbleSink<Name extends keyof SinkAbilities> {
  readonly context: SinkContext;
  readonly ability: NonNullable<SinkAbilities[Name]>;
}

/**
 * The sink that `--sink` names, or the only one with the ability.
 * @param asked what `--sink` says
 * @throws EOS_CONFIG where none has the ability, or several and none was named
 */
export function ableSink<Name extends keyof SinkAbilities>(
  { options: { id, sinks } }: LoadedPipeline,
  name: Name,
  asked: string | boolean | undefined,
  { can, does }: AbilityWords,
): AbleSink<Name> {
  const able = Object.entries(sinks).flatMap(([sink, { abilities }]): [string, AbleSink<Name>][] => {
    const ability = abilities?.[name];
    return ability === undefined ? [] : [[sink, { context: { pipeline: id, sink }, ability }]];
  });
  const names = able.map(([sink]) => sink);
  if (names.length === 0) throw new EosError('EOS_CONFIG', `none of the sinks can ${can}`);
  if (asked === undefined && names.length > 1)
    throw new EosError('EOS_CONFIG', `--sink must say which: ${names.join(', ')}`);
  const found = able.find(([sink]) => asked === undefined || sink === asked);
  if (found !== undefined) return found[1];
  const hint = didYouMean(String(asked), names) || `: there are ${names.join(', ')}`;
  throw new EosError('EOS_CONFIG', `no sink ${JSON.stringify(asked)} ${does}${hint}`);
}
