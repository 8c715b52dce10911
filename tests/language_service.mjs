// What does GitHub's own parser say about action.yml and the workflows that use it? A line for each finding.
// usage: node language_service.mjs FOLDER_WITH_NODE_MODULES ACTION_YML WORKFLOW...
import {readFileSync} from "node:fs";
import {createRequire, registerHooks} from "node:module";
import {fileURLToPath, pathToFileURL} from "node:url";

// The packages import JSON without saying so, which Node.js refuses.
registerHooks({
  load(url, context, next) {
    if (!url.endsWith(".json")) return next(url, context);
    return {format: "module", shortCircuit: true, source: `export default ${readFileSync(fileURLToPath(url))}`};
  },
});

const [folder, action, ...workflows] = process.argv.slice(2);
const resolve = name => pathToFileURL(createRequire(`${folder}/`).resolve.paths(name)[0] + `/${name}`).href;
const service = "@actions/languageservice/dist";
const {validate} = await import(resolve(`${service}/validate.js`));
const {validateAction} = await import(resolve(`${service}/validate-action.js`));
const {TextDocument} = await import(resolve("vscode-languageserver-textdocument/lib/esm/main.js"));
const {parse} = await import(resolve("yaml/dist/index.js"));

const ours = parse(readFileSync(action, "utf8"));
const config = {
  actionsMetadataProvider: {
    fetchActionMetadata: async ({name}) => (name === "schema-audit-action" ? ours : undefined),
  },
};
const document = path => TextDocument.create(pathToFileURL(path).href, "yaml", 1, readFileSync(path, "utf8"));
const elsewhere = /^Unable to resolve action `(?!org\/schema-audit-action@)/; // no network, no metadata of others
const told = (path, found) =>
  found
    .filter(each => !elsewhere.test(each.message))
    .forEach(each => console.log(`${path}:${each.range.start.line + 1}: ${each.message}`));

told(action, await validateAction(document(action), config));
for (const path of workflows) told(path, await validate(document(path), config));
