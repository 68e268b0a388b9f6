// Makes the key of the private_key_jwt client: `node keys.mjs PRIVATE PUBLIC` writes the private key
// as a JWK and the public key set that is registered.
import { writeFileSync } from "node:fs";
import { exportJWK, generateKeyPair } from "jose";

const [privateFile, publicFile] = process.argv.slice(2);
const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
const names = { kid: "service-1", alg: "ES256", use: "sig" };
writeFileSync(privateFile, JSON.stringify({ ...(await exportJWK(privateKey)), ...names }), { mode: 0o600 });
writeFileSync(publicFile, JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), ...names }] }));
