import type { Reference } from '../reference.ts';
import type { RegistryAccess } from './access.ts';
import { openRepository } from './repository.ts';
import { cancelUpload, openUpload } from './upload.ts';

/** Rejects as a push there would for want of a registry, of credentials or of rights, and leaves nothing: an upload is begun and cancelled. */
export async function checkPush(reference: Reference, access: RegistryAccess): Promise<void> {
  await using repository = await openRepository(reference, 'pull,push', access);
  await cancelUpload(repository, await openUpload(repository));
}
