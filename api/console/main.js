// The console: a plain client of the API. This file wires its parts together.

import * as adding from "./add.js";
import { keepKey, ready, storedKey, useKey } from "./api.js";
import { create, removeOpen, showCollections, showModels, state } from "./collections.js";
import { showItems, turn } from "./items.js";
import { act, find, onSubmit } from "./page.js";
import * as searching from "./search.js";
import { showStatus } from "./status.js";

/** Show the collections and items anew. */
async function changed() {
	await showCollections(open);
	if (state.collection) await Promise.all([showItems(changed), showStatus()]);
}

async function open(collection) {
	state.collection = collection;
	turn(0);
	find("collection-title").textContent = collection.name;
	await showCollections(open);
	searching.offerKinds();
	adding.reset();
	await Promise.all([showItems(changed), showStatus()]);
	find("query").focus();
}

async function showHealth() {
	const good = await ready();
	find("health").textContent = good ? "Ready" : "Not ready";
	find("health").classList.toggle("bad", !good);
}

async function enter(key) {
	useKey(key);
	state.collection = null;
	find("workspace").hidden = true;
	await showModels();
	await showCollections(open);
	keepKey(true);
	await showHealth();
	find("workspace").hidden = find("bar").hidden = false;
	find("entry").hidden = true;
	return "";
}

function forget() {
	keepKey(false);
	find("key").value = "";
	find("workspace").hidden = find("bar").hidden = find("error").hidden = true;
	find("entry").hidden = false;
	find("key").focus();
}

onSubmit("key-form", () => enter(find("key").value.trim()));
onSubmit("create-form", async () => {
	await open(await create());
	return "Created.";
});
searching.wire();
adding.wire(changed);
find("forget").addEventListener("click", forget);
find("delete-collection").addEventListener("click", () => act(find("delete-collection"), async () => {
	if (!(await removeOpen())) return "";
	await changed();
	return "Deleted.";
}));
// The list itself says whether these may be used afterwards, so act must not enable them.
for (const [id, pages] of [["earlier", -1], ["later", 1]]) {
	find(id).addEventListener("click", () => act(null, async () => {
		turn(pages);
		await showItems(changed);
	}));
}
if (storedKey()) {
	find("key").value = storedKey();
	act(null, () => enter(storedKey()));
}
