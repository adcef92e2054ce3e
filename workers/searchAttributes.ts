import type { Connection, ConnectionLike } from '@temporalio/client';
import { SearchAttributeType } from '@temporalio/common';
import { PartloopError } from '../domain/base/errors.js';
import { SEARCH_ATTRIBUTES } from '../domain/searchAttributes.js';

/** Temporal's numbers (IndexedValueType) and the names that its command line takes. */
const TYPES: Record<SearchAttributeType, { indexed: number; label: string }> = {
  [SearchAttributeType.TEXT]: { indexed: 1, label: 'Text' },
  [SearchAttributeType.KEYWORD]: { indexed: 2, label: 'Keyword' },
  [SearchAttributeType.INT]: { indexed: 3, label: 'Int' },
  [SearchAttributeType.DOUBLE]: { indexed: 4, label: 'Double' },
  [SearchAttributeType.BOOL]: { indexed: 5, label: 'Bool' },
  [SearchAttributeType.DATETIME]: { indexed: 6, label: 'Datetime' },
  [SearchAttributeType.KEYWORD_LIST]: { indexed: 7, label: 'KeywordList' },
};

export interface WantedAttribute {
  name: string;
  indexed: number;
  label: string;
}

const WANTED: readonly WantedAttribute[] = Object.values(SEARCH_ATTRIBUTES).map(({ name, type }) => ({
  name,
  ...TYPES[type],
}));

/** The missing ones of a namespace. An attribute with another type is an error: adding cannot repair it. */
export async function missingSearchAttributes(
  connection: Pick<ConnectionLike, 'operatorService'>,
  namespace: string,
  address = '',
): Promise<WantedAttribute[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const wrong = WANTED.find(({ name, indexed }) => (customAttributes?.[name] ?? indexed) !== indexed);
  if (wrong !== undefined) {
    throw new PartloopError(
      'setup-incomplete',
      `search attribute ${wrong.name} of namespace ${namespace} is not of type ${wrong.label}`,
      {
        hint: isCloud(address)
          ? 'Use another namespace: Temporal Cloud keeps the type of an attribute.'
          : `Remove it (temporal operator search-attribute remove --name ${wrong.name}) or use another namespace.`,
      },
    );
  }
  return WANTED.filter(({ name }) => customAttributes?.[name] === undefined);
}

export async function registerSearchAttributes(
  connection: Connection,
  namespace: string,
  missing: readonly WantedAttribute[],
): Promise<void> {
  if (missing.length === 0) return;
  const searchAttributes = Object.fromEntries(missing.map(({ name, indexed }) => [name, indexed]));
  await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
}

/** Temporal Cloud, by the address of its namespaces and of its regions; the operator commands do not work there. */
export const isCloud = (address: string): boolean => /\.(tmprl\.cloud|api\.temporal\.io)(:\d+)?$/.test(address);

/** The commands with which a person registers them on a service that partloop may not change. */
export function registrationCommands(
  missing: readonly WantedAttribute[],
  address: string,
  namespace: string,
): string[] {
  if (isCloud(address)) {
    const pairs = missing.map(({ name, label }) => `--search-attribute "${name}=${label}"`);
    return [`tcld namespace search-attributes add --namespace ${namespace} ${pairs.join(' ')}`];
  }
  return missing.map(
    ({ name, label }) =>
      `temporal operator search-attribute create --address ${address} --namespace ${namespace} --name ${name} --type ${label}`,
  );
}

/** The same, with the place where to run them. */
export function registrationHint(missing: readonly WantedAttribute[], address: string, namespace: string): string {
  const commands = registrationCommands(missing, address, namespace).join('\n');
  if (!isCloud(address)) return `Register them:\n${commands}`;
  return `Register them in the Cloud UI (the namespace, Edit, Search Attributes), or by\n${commands}`;
}
