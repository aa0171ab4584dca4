export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

/** Raw samples this long before and after an episode are kept as long as the episode. */
export const episodeMarginMs = 5 * 60_000;
