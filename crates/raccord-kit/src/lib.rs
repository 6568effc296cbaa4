//! What a connector author imports: the verbs, the HTTP client, the stand-in, the conformance tests.
