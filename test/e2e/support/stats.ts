/** Numbers that an Envoy counts, by their names in its admin interface; one that it does not know is missing. */
export async function statsOf(adminPort: number, names: readonly string[]): Promise<Record<string, number>> {
  const answer = await fetch(`http://127.0.0.1:${adminPort}/stats?format=json&filter=${names.join("|")}`);
  const { stats } = (await answer.json()) as { stats: { name?: string; value?: number }[] };
  const wanted = stats.filter(({ name = "" }) => names.includes(name));
  return Object.fromEntries(wanted.map(({ name = "", value = 0 }) => [name, value]));
}
