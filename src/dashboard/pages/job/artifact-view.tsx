import { Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useCallback, useMemo } from 'react';
import type { Artifact } from '../../../../infra/cli/generated/api.ts';
import { refusalOf } from '../../api/client.ts';
import { liveMs } from '../../api/connection.ts';
import { Answered } from '../../parts/states.tsx';
import styles from './artifact-view.module.css';
import { CurvesView } from './curves-view.tsx';
import { curvesOf } from './curves.ts';

const images = /\.(png|jpe?g|gif|webp|avif|bmp)$/i;
const texts = /\.(txt|log|md|json|jsonl|ya?ml|csv|tsv|toml|ini|cfg|py|sh|ts|js|html?|xml|svg)$/i;
const mostBytes = 5 * 1024 * 1024;

/** Pictures and texts that are small enough. A drawing is shown as its text, since it can hold programs. */
export function isViewable({ path, sizeBytes }: Artifact): boolean {
  return sizeBytes <= mostBytes && (images.test(path) || texts.test(path));
}

/** A later attempt may write the file anew: it is read again when its content is another. */
export function ArtifactView({ artifact: { path, sha256 }, href }: { artifact: Artifact; href: string }) {
  const isPicture = images.test(path);
  const file = useQuery({
    queryKey: ['artifact', href, sha256],
    queryFn: async () => {
      const response = await fetch(href);
      if (!response.ok) throw await refusalOf(response);
      return isPicture ? response.blob() : response.text();
    },
    staleTime: Infinity,
    refetchInterval: ({ state }) => (state.status === 'error' ? liveMs : false),
  });
  return (
    <figure className={styles.view} aria-label={path}>
      <figcaption>
        <Text size="sm" fw={600}>
          {path}
        </Text>
      </figcaption>
      <Answered query={file}>
        {(content) =>
          typeof content === 'string' ? (
            <TextOf content={content} path={path} />
          ) : (
            <Picture blob={content} path={path} />
          )
        }
      </Answered>
    </figure>
  );
}

function Picture({ blob, path }: { blob: Blob; path: string }) {
  const show = useCallback(
    (image: HTMLImageElement) => {
      const url = URL.createObjectURL(blob);
      image.src = url;
      return () => URL.revokeObjectURL(url);
    },
    [blob],
  );
  return <img ref={show} alt={path} />;
}

function TextOf({ content, path }: { content: string; path: string }) {
  const curves = useMemo(() => curvesOf(path, content), [path, content]);
  return (
    <>
      <CurvesView name={path} curves={curves} />
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls is reached by the keyboard */}
      <pre tabIndex={0}>{content}</pre>
    </>
  );
}
