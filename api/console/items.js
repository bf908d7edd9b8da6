// Items: as cards of a grid, listed page by page, deleted.

import { call } from "./api.js";
import { state } from "./collections.js";
import { button, fill, find, make } from "./page.js";
import { show } from "./media.js";

const PAGE = 24;
const NAMES = { text: "Text", image: "Picture", audio: "Sound" };
let offset = 0;

/** A card for an item or a hit, with elements at its foot. */
export function card(item, ...foot) {
	const said = (value) => (typeof value === "string" ? value : JSON.stringify(value));
	const metadata = Object.entries(item.metadata).map(([name, value]) => `${name}: ${said(value)}`).join(" · ");
	const name = `${NAMES[item.content_type]} ${metadata || item.id}`;
	const content = item.content_url ? show(item.content_type, item.content_url, name)
		: make("div", "text", item.text ?? `${NAMES[item.content_type]}; its file is not kept`);
	return make("li", "", content, make("div", "meta", metadata), make("div", "meta id", item.id), make("div", "foot", ...foot));
}

export const kindOfItem = (item) => make("span", "kind", NAMES[item.content_type]);

/** List the items of the open collection; `changed` runs after one was deleted. */
export async function showItems(changed) {
	const { id } = state.collection;
	const { items, total } = await call("GET", `collections/${id}/items?limit=${PAGE}&offset=${offset}`);
	if (!items.length && offset > 0) {
		offset = Math.max(0, offset - PAGE);
		return showItems(changed);
	}
	fill(find("items"), items.map((item) => card(item, kindOfItem(item), button("Delete", `Delete item ${item.id}`, async () => {
		if (!confirm("Delete this item? This cannot be undone.")) return "";
		await call("DELETE", `collections/${id}/items`, { ids: [item.id] });
		await changed();
		return "Deleted.";
	}))), "No items yet.");
	find("range").textContent = items.length ? `${offset + 1}–${offset + items.length} of ${total}` : "";
	find("earlier").disabled = offset === 0;
	find("later").disabled = offset + items.length >= total;
}

/** Go some pages on or back; 0 goes to the first. */
export function turn(pages) {
	offset = pages === 0 ? 0 : Math.max(0, offset + pages * PAGE);
}
