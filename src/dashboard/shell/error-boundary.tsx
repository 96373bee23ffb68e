import { Alert, Button, Text } from '@mantine/core';
import { Component, type ReactNode } from 'react';

/** A page that fails says so, and leaves the others as they are. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error: Error | undefined }> {
  override state: { error: Error | undefined } = { error: undefined };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    return (
      <Alert color="red" variant="light" role="alert" title="This page could not be shown">
        <Text size="sm">{error.message}</Text>
        <Text size="sm">
          If weir was updated since the page was opened, loading it again helps. Else this is a fault of the dashboard.
        </Text>
        <Button mt="sm" size="xs" variant="default" onClick={() => window.location.reload()}>
          Load again
        </Button>
      </Alert>
    );
  }
}
