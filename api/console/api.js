// Calls of the API, as any other client makes them.

const STORED_KEY = "vw-key";
let key = sessionStorage.getItem(STORED_KEY) || "";

export const storedKey = () => key;

/** Use a key from now on; it is kept in this tab only. */
export function useKey(next) {
	key = next;
}

/** Keep the key in use for a reload of the tab, or forget it. */
export function keepKey(keep) {
	if (keep) {
		sessionStorage.setItem(STORED_KEY, key);
	} else {
		sessionStorage.removeItem(STORED_KEY);
		key = "";
	}
}

/** Call the API; throws an Error whose message is fit to be shown. */
export async function call(method, path, body) {
	const headers = { authorization: `Bearer ${key}` };
	if (body !== undefined) headers["content-type"] = "application/json";
	let response;
	try {
		response = await fetch(`/v1/vectors/${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
	} catch {
		throw new Error("The server cannot be reached.");
	}
	const answer = await response.json().catch(() => null);
	if (response.ok && answer !== null) return answer;
	const error = answer && answer.error;
	if (!error) throw new Error(`The server answered with status ${response.status}.`);
	const param = error.param ? ` (${error.param})` : "";
	const failed = new Error(`${error.message}${param} [${error.code}, ${error.request_id}]`);
	failed.errors = answer.errors;
	throw failed;
}

/** Whether the service says that it is ready. */
export async function ready() {
	return fetch("/readyz").then((response) => response.ok, () => false);
}
