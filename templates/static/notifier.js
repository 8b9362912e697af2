/* Shows what telling.js hands to it; a click on a notification leads to the page of the training. It holds nothing back for later. */
addEventListener('notificationclick', (event) => {
  const { notification, waitUntil } = /** @type {Clicked} */ (event);
  notification.close();
  waitUntil.call(event, open(notification.data));
});

/** @typedef {Event & { notification: Notification, waitUntil(work: Promise<unknown>): void }} Clicked */

/** In a tab of ours, if there is one. @param {string} href */
async function open(href) {
  const { clients } = /** @type {{ clients: Clients }} */ (/** @type {unknown} */ (globalThis));
  const [tab] = await clients.matchAll({ type: 'window' });
  if (!tab) return clients.openWindow(href);
  return (await tab.focus()).navigate(href);
}

/** @typedef {{ focus(): Promise<Tab>, navigate(href: string): Promise<unknown> }} Tab */
/** @typedef {{ matchAll(of: { type: 'window' }): Promise<Tab[]>, openWindow(href: string): Promise<unknown> }} Clients */
