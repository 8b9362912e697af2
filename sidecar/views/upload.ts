/** The form that takes pictures, captions and archives. */
export type UploadView = {
  /** What the page does once they have arrived: stay, show the dataset, or choose it for the new training. */
  afterwards: 'stay' | 'dataset' | 'new';
  /** The dataset; null asks for its name. */
  into: string | null;
  name: string;
  error: string | null;
};
