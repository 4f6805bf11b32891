/** Where an image is or goes, as people write it. */
export type ImagePlace =
  /** An image layout; `tag` is the image's name in it. */
  | { readonly kind: 'oci'; readonly dir: string; readonly tag?: string }
  /** What a registry has. */
  | { readonly kind: 'registry'; readonly reference: string }
  /** What a Docker daemon has. */
  | { readonly kind: 'docker'; readonly reference: string }
  /** A tar as `docker save` writes it. */
  | { readonly kind: 'docker-archive'; readonly file: string; readonly reference?: string };

export const PLACE_FORMS =
  '"oci:DIR[:TAG]", "docker:REFERENCE", "registry:REFERENCE" or "docker-archive:FILE[:REFERENCE]"';

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md#pre-defined-annotation-keys (ref.name) */
const REF_NAME_FORM = /^[A-Za-z0-9]+(?:[-._:@/+]+[A-Za-z0-9]+)*$/;

/** Undefined where the text has none of PLACE_FORMS. As with skopeo, a DIR or FILE ends at the first colon. */
export function parsePlace(text: string): ImagePlace | undefined {
  const [, kind, rest = ''] = /^(oci|docker|registry|docker-archive):(.+)$/.exec(text) ?? [];
  if (kind === 'docker' || kind === 'registry') return { kind, reference: rest };
  const [, path, name] = /^([^:]+)(?::(.+))?$/.exec(rest) ?? [];
  if (path === undefined || (name !== undefined && !REF_NAME_FORM.test(name))) return undefined;
  if (kind === 'oci') return { kind, dir: path, ...(name !== undefined && { tag: name }) };
  if (kind !== 'docker-archive') return undefined;
  return { kind, file: path, ...(name !== undefined && { reference: name }) };
}

export function renderPlace(place: ImagePlace): string {
  switch (place.kind) {
    case 'oci':
      return `oci:${place.dir}${place.tag === undefined ? '' : `:${place.tag}`}`;
    case 'docker':
    case 'registry':
      return `${place.kind}:${place.reference}`;
    case 'docker-archive':
      return `docker-archive:${place.file}${place.reference === undefined ? '' : `:${place.reference}`}`;
  }
}
