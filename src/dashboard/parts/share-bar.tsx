import { percent } from './format.ts';
import styles from './share-bar.module.css';

/** A share as a bar, on which its cap is a mark. */
export function ShareBar({ share, cap }: { share: number; cap: number | null }) {
  return (
    <div className={styles.share}>
      <span>{percent(share)}</span>
      <div className={styles.bar} data-over={(cap !== null && share > cap) || undefined} aria-hidden="true">
        <i style={{ width: `${share * 100}%` }} />
        {cap !== null && <b style={{ left: `${cap * 100}%` }} />}
      </div>
    </div>
  );
}
