"""Pure arithmetic of messages: quiet hours, segments, the closed language of texts, signatures."""
