/* What stands in a field of a form, as text. */

/** @typedef {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} Field */

/** @param {Field} element */
export function isChanged(element) {
  if (element instanceof HTMLTextAreaElement) return element.value !== element.defaultValue;
  if (element instanceof HTMLInputElement)
    return ['checkbox', 'radio'].includes(element.type)
      ? element.checked !== element.defaultChecked
      : element.type !== 'hidden' && element.value !== element.defaultValue;
  const options = [...element.options];
  return element.value !== (options.find((each) => each.defaultSelected) ?? options[0])?.value;
}

/** Null for a radio button that is not chosen. @param {Field} element */
export function textIn(element) {
  if (element.type === 'radio') return /** @type {HTMLInputElement} */ (element).checked ? element.value : null;
  if (element.type !== 'checkbox') return element.value;
  if (/** @type {HTMLInputElement} */ (element).checked) return 'true';
  // A setting is sent as off, a flag not at all.
  return element.name.startsWith('arguments[') ? '' : 'false';
}

/** @param {string} name */
export function keyOf(name) {
  return name.replace(/^arguments\[(.+)\]$/s, 'arguments.$1');
}

/** @param {string} key */
export function nameOf(key) {
  return key.replace(/^arguments\.(.+)$/s, 'arguments[$1]');
}

/** As if it were typed. @param {Field} element @param {string} value */
export function put(element, value) {
  if (element.type === 'checkbox') /** @type {HTMLInputElement} */ (element).checked = value === 'true';
  else if (element.type === 'radio') /** @type {HTMLInputElement} */ (element).checked = element.value === value;
  else element.value = value;
  element.dispatchEvent(new Event('change', { bubbles: true }));
}
