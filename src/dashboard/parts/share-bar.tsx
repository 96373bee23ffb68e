import { percent } from './format.ts';
import styles from './share-bar.module.css';

/** A share as a bar. A cap is no mark on it: that holds over a window of its own, and for all teams together. */
export function ShareBar({ share }: { share: number }) {
  return (
    <div className={styles.share}>
      <span>{percent(share)}</span>
      <div className={styles.bar} aria-hidden="true">
        <i style={{ width: `${share * 100}%` }} />
      </div>
    </div>
  );
}
