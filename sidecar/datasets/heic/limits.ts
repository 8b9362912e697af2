/** Pixels of a square that is as large as a photo may be: 67 million in all. Phones take 12 to 50 million. */
export const LARGEST_SIDE = 8192;
/** Bytes that the decoder may take of 2 GB. A photo of 48 million pixels takes 440 MB at most. */
export const MOST_MEMORY = 768 * 1024 * 1024;
/** Seconds. A photo of 48 million pixels takes 8, and more beside a trainer that takes all processors. */
export const LONGEST = 120;
/** What to do with a photo beyond them, or of a kind that is not read. */
export const AS_JPEG = 'Export it as JPEG and upload that.';
