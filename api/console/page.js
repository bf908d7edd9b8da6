// What every part of the page is made with. Data reaches the page as text only, never as markup.

export const find = (id) => document.getElementById(id);

/** Make an element with a class and with text or elements in it. */
export function make(tag, name, ...content) {
	const element = document.createElement(tag);
	if (name) element.className = name;
	element.append(...content);
	return element;
}

/** Make a button that runs an action. */
export function button(text, label, action, name = "quiet") {
	const element = make("button", name, text);
	element.type = "button";
	element.setAttribute("aria-label", label);
	element.addEventListener("click", () => act(element, action));
	return element;
}

/** Put rows into a list, or a note that there are none. */
export function fill(list, rows, empty) {
	list.replaceChildren(...(rows.length ? rows : [make("li", "note", empty)]));
}

/** Show what is going on. */
export function say(text) {
	find("status").textContent = text;
}

/** Run an action for a control; it is disabled meanwhile, and whatever goes wrong is shown. */
export async function act(control, action) {
	if (control) control.disabled = true;
	find("error").hidden = true;
	say("Working…");
	try {
		say((await action()) || "");
	} catch (error) {
		say("");
		find("error").textContent = error.message;
		find("error").hidden = false;
		find("error").scrollIntoView({ block: "nearest" });
	} finally {
		if (control) control.disabled = false;
	}
}

/** Run an action when a form is sent. */
export function onSubmit(id, action) {
	find(id).addEventListener("submit", (event) => {
		event.preventDefault();
		act(event.submitter, action);
	});
}

/** Read an optional field that holds a JSON object. */
export function jsonField(id, what) {
	const text = find(id).value.trim();
	if (!text) return undefined;
	let value;
	try {
		value = JSON.parse(text);
	} catch (error) {
		throw new Error(`The ${what} is not JSON: ${error.message}`);
	}
	if (value === null || typeof value !== "object" || Array.isArray(value)) throw new Error(`The ${what} is not a JSON object.`);
	return value;
}
