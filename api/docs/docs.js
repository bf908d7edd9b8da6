// Shows /openapi.json: each request with its parameters, its body and its answers. Everything is set as text.

const METHODS = ["get", "post", "put", "patch", "delete"];

function element(name, content = [], attributes = {}) {
  const made = document.createElement(name);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  made.append(...(Array.isArray(content) ? content : [content]));
  return made;
}

function table(head, rows) {
  const cells = (name, row) => element("tr", row.map((cell) => element(name, cell)));
  return element("table", [element("thead", cells("th", head)), element("tbody", rows.map((row) => cells("td", row)))]);
}

function resolve(api, schema) {
  const path = schema?.$ref?.replace("#/", "").split("/");
  return path ? path.reduce((at, key) => at[key], api) : schema ?? {};
}

/** Name a schema in a few words. */
function typeOf(api, schema) {
  if (!schema) return "anything";
  if (schema.$ref) return schema.$ref.split("/").pop();
  const options = schema.oneOf ?? schema.anyOf;
  if (options) return options.map((option) => typeOf(api, option)).join(" or ");
  if (schema.enum) return schema.enum.join(" or ");
  const words = [schema.type ?? "anything"].flat();
  return words.map((word) => (word === "array" ? `array of ${typeOf(api, schema.items)}` : word)).join(" or ");
}

function limits(schema) {
  const names = { minLength: "from", maxLength: "to", minimum: "from", maximum: "to", minItems: "from", maxItems: "to" };
  const units = { Length: " characters", Items: " elements" };
  const found = Object.entries(names).filter(([key]) => schema[key] !== undefined);
  const words = found.map(([key, word]) => `${word} ${schema[key]}${units[key.slice(3)] ?? ""}`);
  if (schema.default !== undefined) words.push(`default ${schema.default}`);
  if (schema.pattern) words.push(schema.pattern);
  return words.join(", ");
}

function fields(api, schema) {
  const whole = resolve(api, schema);
  const parts = [whole, ...(whole.allOf ?? []).map((part) => resolve(api, part))];
  return parts.flatMap((part) => {
    const required = new Set(part.required ?? []);
    return Object.entries(part.properties ?? {}).map(([name, field]) => [
      element("code", name),
      typeOf(api, field) + (required.has(name) ? "" : ", optional"),
      [field.description, limits(field)].filter(Boolean).join(" — "),
    ]);
  });
}

function schemaBlock(api, title, content) {
  const schema = content && Object.values(content)[0]?.schema;
  if (!schema) return [];
  const rows = fields(api, schema);
  return rows.length ? [element("p", `${title}: ${typeOf(api, schema)}`), table(["field", "type", ""], rows)] : [];
}

function request(api, path, method, operation) {
  const id = operation.operationId + "-" + method;
  const heading = element("h3", [element("span", method.toUpperCase(), { class: "method" }), element("code", path)], { id });
  const blocks = [heading, element("p", operation.summary ?? "")];
  const parameters = (operation.parameters ?? []).map((given) => [
    element("code", given.name),
    `${given.in}, ${typeOf(api, given.schema)}${given.required ? "" : ", optional"}`,
    [given.description, limits(given.schema ?? {})].filter(Boolean).join(" — "),
  ]);
  if (parameters.length) blocks.push(table(["parameter", "type", ""], parameters));
  blocks.push(...schemaBlock(api, "Body", operation.requestBody?.content));
  const answers = Object.entries(operation.responses).map(([status, answer]) => [status, answer.description]);
  blocks.push(...schemaBlock(api, "Answer", operation.responses["200"]?.content));
  blocks.push(table(["status", ""], answers));
  return { id, blocks, name: `${method.toUpperCase()} ${path}` };
}

function show(api) {
  document.getElementById("title").textContent = `${api.info.title} ${api.info.version}`;
  document.getElementById("about").textContent = api.info.description ?? "";
  const main = document.getElementById("requests");
  const contents = element("ul");
  const shown = [];
  for (const tag of api.tags) {
    shown.push(element("h2", tag.name), element("p", tag.description ?? "", { class: "none" }));
    for (const [path, item] of Object.entries(api.paths)) {
      for (const method of METHODS.filter((method) => item[method]?.tags?.includes(tag.name))) {
        const { id, blocks, name } = request(api, path, method, item[method]);
        shown.push(...blocks);
        contents.append(element("li", element("a", name, { href: `#${id}` })));
      }
    }
  }
  const schemas = Object.entries(api.components.schemas).filter(([, schema]) => fields(api, schema).length);
  shown.push(element("h2", "Types"));
  for (const [name, schema] of schemas) {
    shown.push(element("h3", element("code", name)), table(["field", "type", ""], fields(api, schema)));
  }
  document.getElementById("contents").replaceChildren(contents);
  main.replaceChildren(...shown);
}

try {
  show(await (await fetch("/openapi.json")).json());
} catch (error) {
  document.getElementById("requests").replaceChildren(element("p", `The description cannot be read: ${error}`));
}
