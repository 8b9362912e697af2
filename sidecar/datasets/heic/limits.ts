/** Pixels of a square that is as large as a photo may be: 67 million in all. Phones take 12 to 50 million. */
export const LARGEST_SIDE = 8192;
/** Bytes that the decoder may take: a photo of that size needs two thirds of them. */
export const MOST_MEMORY = 768 * 1024 * 1024;
/** Seconds. The largest photo takes 10. */
export const LONGEST = 60;
