// What a wasm module asks of its host: the functions that it imports, one "module.name" a line, sorted.
//
//   node gate/imports.mjs MODULE                   prints them
//   node gate/imports.mjs MODULE --exactly LIST    fails unless they are exactly what the file LIST names
//   node gate/imports.mjs MODULE --none-of NAME    fails if any is from the module NAME

import { readFileSync } from "node:fs";

function importsOf(path) {
    const module = new WebAssembly.Module(readFileSync(path));
    return WebAssembly.Module.imports(module).map(({ module, name }) => `${module}.${name}`).sort();
}

function namedIn(path) {
    return readFileSync(path, "utf8").split("\n").filter((line) => line && !line.startsWith("#"));
}

function refuse(...lines) {
    console.error(lines.join("\n"));
    process.exit(1);
}

const [path, check, against] = process.argv.slice(2);
const imports = importsOf(path);

switch (check) {
    case undefined:
        console.log(imports.join("\n"));
        break;

    case "--exactly": {
        const allowed = namedIn(against);
        const added = imports.filter((name) => !allowed.includes(name));
        const gone = allowed.filter((name) => !imports.includes(name));
        if (added.length + gone.length > 0) {
            refuse(
                `${path} does not import what ${against} names:`,
                ...added.map((name) => `  + ${name}  (imported, not in the list)`),
                ...gone.map((name) => `  - ${name}  (in the list, not imported)`),
                `If the change is meant, write the list anew: node gate/imports.mjs ${path} > ${against}`,
            );
        }
        console.log(`${path} imports the ${imports.length} functions that ${against} names, and no other`);
        break;
    }

    case "--none-of": {
        const found = imports.filter((name) => name.startsWith(`${against}.`));
        if (found.length > 0) {
            refuse(`${path} must import nothing from \`${against}\`, but does:`, ...found.map((name) => `  ${name}`));
        }
        console.log(`${path} imports nothing from \`${against}\``);
        break;
    }

    default:
        refuse(`unknown check ${check}: --exactly and --none-of are known`);
}
