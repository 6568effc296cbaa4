//! Posts every event, signed as Standard Webhooks say.
