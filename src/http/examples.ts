// What each operation is sent, and what it answers: noted by test/http/example-calls.test.ts from a running api (npm run openapi).

export interface Example {
  readonly params?: Readonly<Record<string, unknown>>
  readonly body?: unknown
  readonly answer?: unknown
}

export const EXAMPLES: Readonly<Record<string, Example>> = {
  "addHashes": {
    "params": {
      "caseNumber": "TBR-F3FA-6SG5-NJSG"
    },
    "body": {
      "images": [
        {
          "signals": [
            {
              "type": "pdq",
              "hash": "3c6f0e1b5a9d7428c1e8f3b2a6975d04e9b1c47a20d8f65b93e7a1c05f4d826b",
              "quality": 92
            }
          ]
        }
      ]
    },
    "answer": {
      "images": [
        {
          "imageId": "1a22489c-1d71-8809-a01e-6898f6f2c586",
          "quality": 92,
          "state": "registered"
        }
      ]
    }
  },
  "addImages": {
    "params": {
      "caseNumber": "TBR-F3FA-6SG5-NJSG"
    },
    "answer": {
      "images": [
        {
          "imageId": "b96973ac-4993-8c3c-bdb8-92b402d46512",
          "quality": 100,
          "state": "registered"
        }
      ]
    }
  },
  "addSignals": {
    "params": {
      "bank": "NGO-1"
    },
    "body": {
      "signals": [
        {
          "type": "pdq",
          "hash": "9a1b7c3e5d2f4860b1d9e7a35c4f02861e8d7b6a953c4f20d1e7a8b9c6503f4d",
          "quality": 88,
          "ref": "2026-17",
          "category": "nude"
        }
      ]
    },
    "answer": {
      "accepted": 1,
      "refused": 0,
      "signals": [
        {
          "signalId": "97d02d50-5004-8c5f-9797-2bab0e9071b8",
          "state": "registered"
        }
      ]
    }
  },
  "addWebhook": {
    "body": {
      "url": "https://hooks.example.com/tabir",
      "events": [
        "match.found",
        "signal.withdrawn"
      ]
    },
    "answer": {
      "webhookId": "01a21298-8a56-7327-88cc-563c01e0da96",
      "url": "https://hooks.example.com/tabir",
      "events": [
        "match.found",
        "signal.withdrawn"
      ],
      "enabled": true,
      "maxPerSecond": 50,
      "createdAt": "2026-11-25T12:05:16.502Z",
      "failures": 0,
      "failingSince": null,
      "oldSecretUntil": null,
      "secret": "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    }
  },
  "attestMatch": {
    "params": {
      "matchId": "tu3V9ZRS_Jhm9aNM_4SJ6fdVUcaJpNbY_4DBoGNvKjY"
    },
    "answer": {
      "tier": "ngo-attested",
      "category": "nude",
      "disputed": false,
      "dispute": {
        "state": "none",
        "reasons": []
      },
      "provenance": {
        "source": "case",
        "registeredOn": "2026-11-25",
        "attestations": 1,
        "verifications": 0,
        "confirmations": 1,
        "refusals": 0
      },
      "matchId": "tu3V9ZRS_Jhm9aNM_4SJ6fdVUcaJpNbY_4DBoGNvKjY",
      "verdict": null,
      "clocks": []
    }
  },
  "changeBank": {
    "params": {
      "bank": "NGO-1"
    },
    "body": {
      "readers": null
    },
    "answer": {
      "bank": "NGO-1",
      "purpose": "match",
      "own": true,
      "thresholdBits": {},
      "createdAt": "2026-11-25T11:41:16.987Z",
      "readers": null
    }
  },
  "changePin": {
    "params": {
      "caseNumber": "TBR-F3FA-6SG5-NJSG"
    },
    "answer": {
      "pin": "123456"
    }
  },
  "changeWebhook": {
    "params": {
      "webhookId": "01a21298-8a56-7327-88cc-563c01e0da96"
    },
    "body": {
      "maxPerSecond": 5
    },
    "answer": {
      "webhookId": "01a21298-8a56-7327-88cc-563c01e0da96",
      "url": "https://hooks.example.com/tabir",
      "events": [
        "match.found",
        "signal.withdrawn"
      ],
      "enabled": true,
      "maxPerSecond": 5,
      "createdAt": "2026-11-25T12:05:16.502Z",
      "failures": 0,
      "failingSince": null,
      "oldSecretUntil": null
    }
  },
  "checkComplaint": {
    "params": {
      "caseNumber": "TBR-HEMJ-N5ZT-T5HB"
    },
    "body": {
      "reference": "PJ/2026/17"
    },
    "answer": {
      "noted": true
    }
  },
  "clearStrikes": {
    "params": {
      "account": "org:1a22489c-1d71-8809-a01e-6898f6f2c586"
    }
  },
  "createBank": {
    "body": {
      "name": "NGO-1"
    },
    "answer": {
      "bank": "NGO-1",
      "purpose": "match",
      "own": true,
      "thresholdBits": {},
      "createdAt": "2026-11-25T11:41:16.987Z",
      "readers": null
    }
  },
  "createKey": {
    "body": {
      "org": "platform",
      "kind": "platform",
      "scopes": [
        "match",
        "feedback"
      ]
    },
    "answer": {
      "keyId": "mv5vj5tktv",
      "key": "an-api-key"
    }
  },
  "decideDispute": {
    "params": {
      "signalId": "1a22489c-1d71-8809-a01e-6898f6f2c586"
    },
    "body": {
      "outcome": "rejected"
    },
    "answer": {
      "tier": "ngo-attested",
      "category": "nude",
      "disputed": false,
      "dispute": {
        "state": "rejected",
        "reasons": [
          "harmless-content"
        ]
      },
      "provenance": {
        "source": "case",
        "registeredOn": "2026-11-25",
        "attestations": 1,
        "verifications": 0,
        "confirmations": 1,
        "refusals": 0
      },
      "signalId": "1a22489c-1d71-8809-a01e-6898f6f2c586",
      "bank": "cases",
      "circulation": "matching",
      "heldFor": null,
      "heldAt": null,
      "disputedAt": "2026-11-25T11:41:16.767Z",
      "decidedAt": "2026-11-25T11:41:16.790Z"
    }
  },
  "disputeSignal": {
    "params": {
      "signalId": "1a22489c-1d71-8809-a01e-6898f6f2c586"
    },
    "body": {
      "reason": "harmless-content"
    },
    "answer": {
      "tier": "ngo-attested",
      "category": "nude",
      "disputed": true,
      "dispute": {
        "state": "open",
        "reasons": [
          "harmless-content"
        ]
      },
      "provenance": {
        "source": "case",
        "registeredOn": "2026-11-25",
        "attestations": 1,
        "verifications": 0,
        "confirmations": 1,
        "refusals": 0
      },
      "signalId": "1a22489c-1d71-8809-a01e-6898f6f2c586",
      "bank": "cases",
      "circulation": "matching",
      "heldFor": null,
      "heldAt": null,
      "disputedAt": "2026-11-25T11:41:16.767Z",
      "decidedAt": null
    }
  },
  "explainProblem": {
    "params": {
      "code": "case-unknown"
    },
    "answer": {
      "type": "/problems/case-unknown",
      "title": "There is no such case, or the PIN or token does not open it.",
      "status": 404,
      "code": "case-unknown"
    }
  },
  "exportBank": {
    "params": {
      "bank": "NGO-1"
    },
    "body": {
      "format": "ndjson",
      "plain": true
    }
  },
  "exportCase": {
    "params": {
      "caseNumber": "TBR-F3FA-6SG5-NJSG"
    },
    "answer": {
      "case": {
        "caseNumber": "TBR-F3FA-6SG5-NJSG",
        "state": "active",
        "category": "nude",
        "createdAt": "2026-11-25T11:41:15.733Z",
        "expiresAt": "2026-11-26T11:41:15.733Z",
        "remindAt": "2026-11-25T23:41:15.733Z",
        "withdrawnAt": null,
        "expiredAt": null,
        "erasedAt": null,
        "images": 2,
        "extendedProtection": false,
        "assisted": null,
        "complaint": false
      },
      "events": [
        {
          "id": "1795606875733-0",
          "kind": "opened",
          "at": "2026-11-25T11:41:15.733Z"
        },
        {
          "id": "1795606876308-0",
          "kind": "registered",
          "at": "2026-11-25T11:41:16.289Z",
          "images": 1
        }
      ],
      "images": [
        {
          "imageId": "b96973ac-4993-8c3c-bdb8-92b402d46512",
          "registeredAt": "2026-11-25T11:41:16.289Z",
          "category": "nude",
          "tier": "self-reported",
          "disputed": false,
          "matching": true,
          "quality": 100,
          "hashes": {
            "pdq": 1,
            "pdq-area": 16,
            "blockhash": 1,
            "sha256": 1
          }
        },
        {
          "imageId": "1a22489c-1d71-8809-a01e-6898f6f2c586",
          "registeredAt": "2026-11-25T11:41:16.346Z",
          "category": "nude",
          "tier": "verified",
          "disputed": false,
          "matching": true,
          "quality": 92,
          "hashes": {
            "pdq": 1
          }
        }
      ],
      "receipt": null
    }
  },
  "getCase": {
    "params": {
      "caseNumber": "TBR-F3FA-6SG5-NJSG"
    },
    "answer": {
      "caseNumber": "TBR-F3FA-6SG5-NJSG",
      "state": "active",
      "category": "nude",
      "createdAt": "2026-11-25T11:41:15.733Z",
      "expiresAt": "2026-11-26T11:41:15.733Z",
      "remindAt": "2026-11-25T23:41:15.733Z",
      "withdrawnAt": null,
      "expiredAt": null,
      "erasedAt": null,
      "images": 2,
      "extendedProtection": false,
      "assisted": null,
      "complaint": false
    }
  },
  "getCaseEvents": {
    "params": {
      "caseNumber": "TBR-F3FA-6SG5-NJSG"
    },
    "answer": {
      "platformsAsking": "3-5",
      "events": [
        {
          "id": "1795606875733-0",
          "kind": "opened",
          "at": "2026-11-25T11:41:15.733Z"
        },
        {
          "id": "1795606876308-0",
          "kind": "registered",
          "at": "2026-11-25T11:41:16.289Z",
          "images": 1
        }
      ]
    }
  },
  "getChallenge": {
    "answer": {
      "parameters": {
        "algorithm": "PBKDF2/SHA-256",
        "nonce": "5512efbc705b1679c6d835a544a03095",
        "salt": "7018175def1288da236555d1e9f48c87",
        "cost": 1000,
        "keyLength": 32,
        "keyPrefix": "0fa7f7bbffa07c848e54fa2186ac4ad8",
        "keySignature": "ae2ef0f4ea48ab6f0ea2f193bf190e5d8ba30ead11cb89dedadab82340990d68",
        "expiresAt": 1795607175
      },
      "signature": "ae5a75e65faf42817c6d3fc4518b8b43a177dbedf6b4f7bcfb9bdbe54a2fce82"
    }
  },
  "getImport": {
    "params": {
      "bank": "NGO-1",
      "importId": "5d71e3ba-3179-8723-a766-675f24b7ccac"
    },
    "answer": {
      "importId": "5d71e3ba-3179-8723-a766-675f24b7ccac",
      "state": "done",
      "problem": null,
      "format": "lines",
      "startedAt": "2026-11-25T11:41:17.083Z",
      "updatedAt": "2026-11-25T11:41:17.097Z",
      "lines": 2,
      "accepted": 1,
      "removed": 0,
      "refused": 1,
      "refusedFor": {
        "signal-type-unknown": 1
      },
      "refusals": [
        {
          "fromLine": 2,
          "toLine": 2,
          "reason": "signal-type-unknown"
        }
      ]
    }
  },
  "getMatch": {
    "params": {
      "matchId": "gy3A7bJPjjkK56iJzC0R44lX1UKbsYBISmB_I-6dkg0"
    },
    "answer": {
      "tier": "self-reported",
      "category": "nude",
      "disputed": false,
      "dispute": {
        "state": "none",
        "reasons": []
      },
      "provenance": {
        "source": "case",
        "registeredOn": "2026-11-26",
        "attestations": 0,
        "verifications": 0,
        "confirmations": 0,
        "refusals": 0
      },
      "matchId": "gy3A7bJPjjkK56iJzC0R44lX1UKbsYBISmB_I-6dkg0",
      "verdict": null,
      "clocks": [
        {
          "law": "us-tida",
          "stage": "remove",
          "dueAt": "2026-11-28T06:46:07.566Z"
        }
      ]
    }
  },
  "getNotice": {
    "params": {
      "caseNumber": "TBR-F3FA-6SG5-NJSG"
    },
    "answer": {
      "notice": {
        "laws": [
          "us-tida"
        ],
        "statements": [
          "goodFaith",
          "withoutConsent"
        ],
        "actingAs": "self",
        "hasContact": true,
        "givenAt": "2026-11-25T11:41:16.379Z"
      }
    }
  },
  "getReceipt": {
    "params": {
      "caseNumber": "TBR-F3FA-6SG5-NJSG"
    },
    "answer": {
      "type": "tabir-receipt",
      "version": 1,
      "caseNumber": "TBR-F3FA-6SG5-NJSG",
      "state": "withdrawn",
      "openedAt": "2026-11-25T11:41:15.733Z",
      "endedAt": "2026-11-25T11:41:19.872Z",
      "images": 2,
      "hashes": 20,
      "keyId": "vopOm0-UDYJBCsqCt0WJor8FY9vfyY_eBYLdh4cCVQk",
      "signature": "L3YuRUd9Wig8MDCgVQMJVzXpi2Sb1MXvNX5cccdf1qszR9zkqYeLJ5jDSo-vpEQbb5RRLKOGJtDsnPr85G3dBA"
    }
  },
  "getReceiptKey": {
    "answer": {
      "jwk": {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": "f8J9p-5naQR4l4V_cS_4TscnJrVf7zKfo5oA6pr-JGA",
        "kid": "vopOm0-UDYJBCsqCt0WJor8FY9vfyY_eBYLdh4cCVQk",
        "use": "sig",
        "alg": "EdDSA"
      },
      "pem": "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAf8J9p+5naQR4l4V/cS/4TscnJrVf7zKfo5oA6pr+JGA=\n-----END PUBLIC KEY-----\n"
    }
  },
  "getRegistry": {
    "answer": {
      "countedAt": "2026-11-25T11:54:30.058Z",
      "images": 2,
      "silent": 0,
      "signals": {
        "pdq": 2,
        "pdq-area": 16,
        "blockhash": 1,
        "sha256": 1
      },
      "groups": [
        {
          "bank": "cases",
          "tier": "self-reported",
          "category": "nude",
          "disputed": false,
          "images": 1
        },
        {
          "bank": "cases",
          "tier": "verified",
          "category": "nude",
          "disputed": false,
          "images": 1
        }
      ]
    }
  },
  "getReport": {
    "params": {
      "caseNumber": "TBR-F3FA-6SG5-NJSG"
    },
    "answer": {
      "type": "tabir-report",
      "version": 1,
      "madeAt": "2026-11-25T11:41:19.269Z",
      "caseNumber": "TBR-F3FA-6SG5-NJSG",
      "state": "active",
      "openedAt": "2026-11-25T11:41:15.733Z",
      "expiresAt": "2026-11-26T11:41:15.733Z",
      "endedAt": null,
      "consentOn": null,
      "complaintNoted": false,
      "hashes": 20,
      "images": [
        {
          "reference": "IMG-B96973AC",
          "registeredAt": "2026-11-25T11:41:16.289Z",
          "category": "nude",
          "tier": "self-reported"
        },
        {
          "reference": "IMG-1A22489C",
          "registeredAt": "2026-11-25T11:41:16.346Z",
          "category": "nude",
          "tier": "verified"
        }
      ],
      "events": [
        {
          "at": "2026-11-25T11:41:15.733Z",
          "kind": "opened",
          "images": null,
          "platforms": null
        },
        {
          "at": "2026-11-25T11:41:16.289Z",
          "kind": "registered",
          "images": 1,
          "platforms": null
        }
      ],
      "receipt": null,
      "keyId": "vopOm0-UDYJBCsqCt0WJor8FY9vfyY_eBYLdh4cCVQk",
      "signature": "MKgu1ks8AH28VeojVll9GacW1iX8rNpB4OXVxphV8NecvhQemrrBEd6Xl_V1qnynNdFz-WH5qX5pynXmhRrQDQ"
    }
  },
  "getSignal": {
    "params": {
      "signalId": "1a22489c-1d71-8809-a01e-6898f6f2c586"
    },
    "answer": {
      "tier": "ngo-attested",
      "category": "nude",
      "disputed": false,
      "dispute": {
        "state": "rejected",
        "reasons": [
          "harmless-content"
        ]
      },
      "provenance": {
        "source": "case",
        "registeredOn": "2026-11-25",
        "attestations": 1,
        "verifications": 0,
        "confirmations": 1,
        "refusals": 0
      },
      "signalId": "1a22489c-1d71-8809-a01e-6898f6f2c586",
      "bank": "cases",
      "circulation": "matching",
      "heldFor": null,
      "heldAt": null,
      "disputedAt": "2026-11-25T11:41:16.767Z",
      "decidedAt": "2026-11-25T11:41:16.790Z"
    }
  },
  "getWebhook": {
    "params": {
      "webhookId": "01a21298-8a56-7327-88cc-563c01e0da96"
    },
    "answer": {
      "webhookId": "01a21298-8a56-7327-88cc-563c01e0da96",
      "url": "https://hooks.example.com/tabir",
      "events": [
        "match.found",
        "signal.withdrawn"
      ],
      "enabled": true,
      "maxPerSecond": 50,
      "createdAt": "2026-11-25T12:05:16.502Z",
      "failures": 0,
      "failingSince": null,
      "oldSecretUntil": null
    }
  },
  "giveFeedback": {
    "params": {
      "matchId": "e3PI4fRLoaC1sOwNILLzgSDa4oVABQ7DEMYDXsNglqM"
    },
    "body": {
      "verdict": "blocked"
    },
    "answer": {
      "tier": "self-reported",
      "category": "nude",
      "disputed": false,
      "dispute": {
        "state": "none",
        "reasons": []
      },
      "provenance": {
        "source": "case",
        "registeredOn": "2026-11-25",
        "attestations": 0,
        "verifications": 0,
        "confirmations": 1,
        "refusals": 0
      },
      "matchId": "e3PI4fRLoaC1sOwNILLzgSDa4oVABQ7DEMYDXsNglqM",
      "verdict": "blocked",
      "clocks": []
    }
  },
  "giveNotice": {
    "params": {
      "caseNumber": "TBR-F3FA-6SG5-NJSG"
    },
    "body": {
      "laws": [
        "us-tida"
      ],
      "statements": [
        "goodFaith",
        "withoutConsent",
        "accurate",
        "authorised"
      ],
      "actingAs": "self",
      "contact": "ngo"
    },
    "answer": {
      "laws": [
        "us-tida"
      ],
      "statements": [
        "goodFaith",
        "withoutConsent"
      ],
      "actingAs": "self",
      "hasContact": true,
      "givenAt": "2026-11-25T11:41:16.379Z"
    }
  },
  "handOverCase": {
    "params": {
      "caseNumber": "TBR-HEMJ-N5ZT-T5HB"
    },
    "body": {
      "keepReading": false
    },
    "answer": {
      "pin": "123456"
    }
  },
  "holdSignal": {
    "params": {
      "signalId": "1a22489c-1d71-8809-a01e-6898f6f2c586"
    },
    "answer": {
      "tier": "verified",
      "category": "nude",
      "disputed": false,
      "dispute": {
        "state": "rejected",
        "reasons": [
          "harmless-content"
        ]
      },
      "provenance": {
        "source": "case",
        "registeredOn": "2026-11-25",
        "attestations": 1,
        "verifications": 1,
        "confirmations": 1,
        "refusals": 0
      },
      "signalId": "1a22489c-1d71-8809-a01e-6898f6f2c586",
      "bank": "cases",
      "circulation": "held",
      "heldFor": "operator",
      "heldAt": "2026-11-25T11:41:16.863Z",
      "disputedAt": "2026-11-25T11:41:16.767Z",
      "decidedAt": "2026-11-25T11:41:16.790Z"
    }
  },
  "importFile": {
    "params": {
      "bank": "NGO-1"
    },
    "answer": {
      "importId": "5d71e3ba-3179-8723-a766-675f24b7ccac",
      "state": "done",
      "problem": null,
      "format": "lines",
      "startedAt": "2026-11-25T11:41:17.083Z",
      "updatedAt": "2026-11-25T11:41:17.097Z",
      "lines": 2,
      "accepted": 1,
      "removed": 0,
      "refused": 1,
      "refusedFor": {
        "signal-type-unknown": 1
      },
      "refusals": [
        {
          "fromLine": 2,
          "toLine": 2,
          "reason": "signal-type-unknown"
        }
      ]
    }
  },
  "index": {
    "answer": {
      "revision": 3,
      "behind": 0,
      "heardAgoMs": 151,
      "images": 0,
      "imageBytes": 16384,
      "indexes": [
        {
          "type": "pdq",
          "rows": 0,
          "liveRows": 0,
          "bytes": 0,
          "thresholdBits": 31,
          "parts": []
        },
        {
          "type": "pdq-area",
          "rows": 0,
          "liveRows": 0,
          "bytes": 0,
          "thresholdBits": 52,
          "parts": []
        }
      ]
    }
  },
  "listAudit": {
    "answer": {
      "entries": [
        {
          "number": 10,
          "at": "2026-11-26T06:46:08.460Z",
          "act": "signal.disputed",
          "by": "key:1fvj293m45",
          "about": {
            "signalId": "573489aa-79eb-8bd3-a052-fb9aea3e2e36",
            "reason": "harmless-content"
          }
        },
        {
          "number": 9,
          "at": "2026-11-26T06:46:08.424Z",
          "act": "signal.attested",
          "by": "key:www2k454en",
          "about": {
            "signalId": "573489aa-79eb-8bd3-a052-fb9aea3e2e36"
          }
        }
      ]
    }
  },
  "listBanks": {
    "answer": {
      "banks": [
        {
          "bank": "cases",
          "purpose": "match",
          "own": false,
          "thresholdBits": {},
          "createdAt": null
        },
        {
          "bank": "harmless",
          "purpose": "harmless",
          "own": false,
          "thresholdBits": {},
          "createdAt": null
        }
      ]
    }
  },
  "listContexts": {
    "answer": {
      "contexts": [
        {
          "context": "group 7",
          "images24h": 1,
          "images30d": 1,
          "lastSeenAt": "2026-11-25T14:11:50.810Z"
        }
      ]
    }
  },
  "listDays": {
    "answer": {
      "days": [
        {
          "day": "2026-10-27",
          "pictures": 0,
          "found": 0,
          "grades": {
            "exact": 0,
            "strong": 0,
            "near": 0,
            "review": 0
          },
          "distances": {
            "0": 0,
            "1-15": 0,
            "16-31": 0,
            "32-45": 0,
            "46-60": 0,
            "61-90": 0
          },
          "verdicts": {
            "blocked": 0,
            "not-blocked": 0,
            "pending-review": 0,
            "disputed": 0
          }
        },
        {
          "day": "2026-10-28",
          "pictures": 0,
          "found": 0,
          "grades": {
            "exact": 0,
            "strong": 0,
            "near": 0,
            "review": 0
          },
          "distances": {
            "0": 0,
            "1-15": 0,
            "16-31": 0,
            "32-45": 0,
            "46-60": 0,
            "61-90": 0
          },
          "verdicts": {
            "blocked": 0,
            "not-blocked": 0,
            "pending-review": 0,
            "disputed": 0
          }
        }
      ]
    }
  },
  "listDisputes": {
    "answer": {
      "signals": [
        {
          "tier": "ngo-attested",
          "category": "nude",
          "disputed": true,
          "dispute": {
            "state": "open",
            "reasons": [
              "harmless-content"
            ]
          },
          "provenance": {
            "source": "case",
            "registeredOn": "2026-11-25",
            "attestations": 1,
            "verifications": 0,
            "confirmations": 1,
            "refusals": 0
          },
          "signalId": "1a22489c-1d71-8809-a01e-6898f6f2c586",
          "bank": "cases",
          "circulation": "matching",
          "heldFor": null,
          "heldAt": null,
          "disputedAt": "2026-11-25T11:41:16.767Z",
          "decidedAt": null
        }
      ]
    }
  },
  "listEvents": {
    "answer": {
      "events": []
    }
  },
  "listExchanges": {
    "answer": {
      "exchanges": [
        {
          "name": "ncii-list",
          "api": "ncmec",
          "bank": "NCII-LIST",
          "everyS": 300,
          "state": "failed",
          "failure": "bank-unknown",
          "startedAt": "2026-11-25T11:41:15.289Z",
          "updatedAt": "2026-11-25T11:41:15.294Z",
          "caughtUpAt": null,
          "pages": 0,
          "accepted": 0,
          "removed": 0,
          "refused": 0,
          "refusedFor": {}
        }
      ]
    }
  },
  "listImports": {
    "params": {
      "bank": "NGO-1"
    },
    "answer": {
      "imports": [
        {
          "importId": "5d71e3ba-3179-8723-a766-675f24b7ccac",
          "state": "done",
          "problem": null,
          "format": "lines",
          "startedAt": "2026-11-25T11:41:17.083Z",
          "updatedAt": "2026-11-25T11:41:17.097Z",
          "lines": 2,
          "accepted": 1,
          "removed": 0,
          "refused": 1,
          "refusedFor": {
            "signal-type-unknown": 1
          }
        }
      ]
    }
  },
  "listKeys": {
    "answer": {
      "keys": [
        {
          "keyId": "mv5vj5tktv",
          "org": "platform",
          "kind": "platform",
          "scopes": [
            "match",
            "feedback"
          ],
          "createdAt": "2026-11-25T11:54:30.072Z",
          "expiresAt": "2026-11-26T11:54:30.076Z",
          "suspendedAt": null,
          "networks": null,
          "lastUsedOn": null
        },
        {
          "keyId": "xd70jdfb5b",
          "org": "operator",
          "kind": "operator",
          "scopes": [
            "match",
            "match:distance"
          ],
          "createdAt": "2026-11-25T11:54:29.474Z",
          "expiresAt": null,
          "suspendedAt": null,
          "networks": null,
          "lastUsedOn": "2026-11-25"
        }
      ]
    }
  },
  "listLaws": {
    "answer": {
      "laws": [
        {
          "law": "us-tida",
          "title": "TAKE IT DOWN Act, United States",
          "statements": [
            "goodFaith",
            "withoutConsent"
          ],
          "needsContact": true,
          "fixedByLaw": true,
          "stages": [
            {
              "stage": "remove",
              "withinHours": 48
            }
          ],
          "sources": [
            {
              "title": "47 U.S.C. § 223a (Public Law 119-12)",
              "url": "https://www.customsmobile.com/uscode/47/223a"
            },
            {
              "title": "On its 48 hours, which the FTC enforces since 19 May 2026",
              "url": "https://www.xbiz.com/news/297811/fsc-take-it-down-act-provisions-take-effect-may-19"
            }
          ]
        },
        {
          "law": "my-onsa",
          "title": "Online Safety Act, Malaysia",
          "statements": [
            "goodFaith",
            "accurate"
          ],
          "needsContact": false,
          "fixedByLaw": true,
          "stages": [
            {
              "stage": "acknowledge",
              "withinHours": 1
            },
            {
              "stage": "assess",
              "withinHours": 12
            }
          ],
          "sources": [
            {
              "title": "Online Safety Act 2025 (Act 866), section 21",
              "url": "https://mylaw.my/legislation/act-2025-866/section-21"
            },
            {
              "title": "Online Safety (Period) Regulations 2025, in force since 1 January 2026",
              "url": "https://digitalpolicyalert.org/event/36974-online-safety-period-regulations-2025-including-content-moderation-regulation-was-adopted-by-ministry-of-communications"
            }
          ]
        }
      ]
    }
  },
  "listOverdue": {
    "answer": {
      "clocks": []
    }
  },
  "listOwnDays": {
    "answer": {
      "days": [
        {
          "day": "2026-10-27",
          "pictures": 0,
          "found": 0,
          "grades": {
            "exact": 0,
            "strong": 0,
            "near": 0,
            "review": 0
          },
          "distances": {
            "0": 0,
            "1-15": 0,
            "16-31": 0,
            "32-45": 0,
            "46-60": 0,
            "61-90": 0
          },
          "verdicts": {
            "blocked": 0,
            "not-blocked": 0,
            "pending-review": 0,
            "disputed": 0
          }
        },
        {
          "day": "2026-10-28",
          "pictures": 0,
          "found": 0,
          "grades": {
            "exact": 0,
            "strong": 0,
            "near": 0,
            "review": 0
          },
          "distances": {
            "0": 0,
            "1-15": 0,
            "16-31": 0,
            "32-45": 0,
            "46-60": 0,
            "61-90": 0
          },
          "verdicts": {
            "blocked": 0,
            "not-blocked": 0,
            "pending-review": 0,
            "disputed": 0
          }
        }
      ]
    }
  },
  "listOwnOverdue": {
    "answer": {
      "clocks": []
    }
  },
  "listQuarantine": {
    "answer": {
      "signals": [
        {
          "tier": "verified",
          "category": "nude",
          "disputed": false,
          "dispute": {
            "state": "rejected",
            "reasons": [
              "harmless-content"
            ]
          },
          "provenance": {
            "source": "case",
            "registeredOn": "2026-11-25",
            "attestations": 1,
            "verifications": 1,
            "confirmations": 1,
            "refusals": 0
          },
          "signalId": "1a22489c-1d71-8809-a01e-6898f6f2c586",
          "bank": "cases",
          "circulation": "held",
          "heldFor": "operator",
          "heldAt": "2026-11-25T11:41:16.863Z",
          "disputedAt": "2026-11-25T11:41:16.767Z",
          "decidedAt": "2026-11-25T11:41:16.790Z"
        }
      ]
    }
  },
  "listStrikes": {
    "answer": {
      "accounts": []
    }
  },
  "listWatches": {
    "answer": {
      "watches": [
        {
          "watchId": "01a2128b-bab5-7cee-8abe-6ff65a11abfe",
          "reference": "upload-7731",
          "until": "2026-12-25T11:51:16.917Z"
        }
      ]
    }
  },
  "listWebhookDeliveries": {
    "params": {
      "webhookId": "01a21282-98c9-704d-bd69-4b53758a53e3"
    },
    "answer": {
      "deliveries": [
        {
          "deliveryId": "sRl_Lcka2Fb99gNGUDvLvB",
          "type": "webhook.ping",
          "state": "delivered",
          "createdAt": "2026-11-25T11:41:18.564Z",
          "tries": 1,
          "lastTryAt": "2026-11-25T11:41:19.051Z",
          "nextTryAt": null,
          "status": 204,
          "failure": null
        }
      ]
    }
  },
  "listWebhooks": {
    "answer": {
      "webhooks": [
        {
          "webhookId": "01a21298-8a56-7327-88cc-563c01e0da96",
          "url": "https://hooks.example.com/tabir",
          "events": [
            "match.found",
            "signal.withdrawn"
          ],
          "enabled": true,
          "maxPerSecond": 50,
          "createdAt": "2026-11-25T12:05:16.502Z",
          "failures": 0,
          "failingSince": null,
          "oldSecretUntil": null
        }
      ]
    }
  },
  "live": {
    "answer": {
      "live": true
    }
  },
  "match": {
    "body": {
      "queries": [
        {
          "id": "upload-1",
          "context": "group 7",
          "signals": [
            {
              "type": "pdq",
              "hash": "3c6f0e1b5a9d7428c1e8f3b2a6975d04e9b1c47a20d8f65b93e7a1c05f4d826b",
              "quality": 92
            }
          ]
        }
      ]
    },
    "answer": {
      "results": [
        {
          "id": "upload-1",
          "matches": [
            {
              "matchId": "e3PI4fRLoaC1sOwNILLzgSDa4oVABQ7DEMYDXsNglqM",
              "grade": "exact",
              "distanceBand": "0",
              "distanceBits": 0,
              "signalType": "pdq",
              "view": "whole",
              "transform": "original",
              "bank": "cases",
              "tier": "self-reported",
              "category": "nude",
              "disputed": false
            }
          ]
        }
      ]
    }
  },
  "matchImages": {
    "answer": {
      "results": [
        {
          "matches": [
            {
              "matchId": "j2e_yvy6VTU7yblrGfBGO69bZNxNgMFRh13boxaCv60",
              "grade": "exact",
              "distanceBand": "0",
              "distanceBits": 0,
              "signalType": "pdq",
              "view": "whole",
              "transform": "original",
              "bank": "cases",
              "tier": "self-reported",
              "category": "nude",
              "disputed": false
            }
          ],
          "quality": 100,
          "signals": [
            {
              "type": "pdq",
              "view": "whole",
              "quality": 100,
              "hash": "c3e3c2378439294b212c2a3c15160bd394bdf8d367c62f6f567cd8d0d9b9a998"
            },
            {
              "type": "pdq-area",
              "view": "whole",
              "quality": 100,
              "hash": "c3e7c237c439094b212c2a3c55140bd394bdf8d363c62f6f767cd8d0d9b98998"
            }
          ]
        }
      ]
    }
  },
  "noteComplaint": {
    "params": {
      "caseNumber": "TBR-HEMJ-N5ZT-T5HB"
    },
    "body": {
      "reference": "PJ/2026/17"
    }
  },
  "openAssistedCase": {
    "body": {
      "adult": true,
      "consent": {
        "kind": "in-writing",
        "on": "2026-01-05"
      },
      "attest": true
    },
    "answer": {
      "caseNumber": "TBR-NBMC-6X3Q-3RA4",
      "caseId": "fe5fc01d67597e8158b06859b9f0ec54",
      "expiresAt": "2026-11-26T11:51:18.363Z",
      "remindAt": "2026-11-25T23:51:18.363Z"
    }
  },
  "openCase": {
    "body": {
      "adult": true,
      "category": "nude"
    },
    "answer": {
      "caseNumber": "TBR-F3FA-6SG5-NJSG",
      "pin": "123456",
      "token": "a-token",
      "expiresAt": "2026-11-26T11:41:15.733Z",
      "remindAt": "2026-11-25T23:41:15.733Z"
    }
  },
  "openCaseByPin": {
    "params": {
      "caseNumber": "TBR-F3FA-6SG5-NJSG"
    },
    "body": {
      "pin": "384556"
    },
    "answer": {
      "token": "a-token"
    }
  },
  "pingWebhook": {
    "params": {
      "webhookId": "01a21282-98c9-704d-bd69-4b53758a53e3"
    }
  },
  "pullExchange": {
    "params": {
      "name": "ncii-list"
    },
    "answer": {
      "name": "ncii-list",
      "api": "ncmec",
      "bank": "NCII-LIST",
      "everyS": 300,
      "state": "failed",
      "failure": "bank-unknown",
      "startedAt": "2026-11-25T11:41:15.289Z",
      "updatedAt": "2026-11-25T11:41:15.294Z",
      "caughtUpAt": null,
      "pages": 0,
      "accepted": 0,
      "removed": 0,
      "refused": 0,
      "refusedFor": {}
    }
  },
  "readFeed": {},
  "ready": {
    "answer": {
      "ready": true,
      "revision": 3,
      "images": 0,
      "rows": {
        "pdq": 0,
        "pdq-area": 0,
        "blockhash": 0,
        "sha256": 0,
        "detail": 0
      },
      "durability": "fsync"
    }
  },
  "releaseSignal": {
    "params": {
      "signalId": "1a22489c-1d71-8809-a01e-6898f6f2c586"
    },
    "answer": {
      "tier": "verified",
      "category": "nude",
      "disputed": false,
      "dispute": {
        "state": "rejected",
        "reasons": [
          "harmless-content"
        ]
      },
      "provenance": {
        "source": "case",
        "registeredOn": "2026-11-25",
        "attestations": 1,
        "verifications": 1,
        "confirmations": 1,
        "refusals": 0
      },
      "signalId": "1a22489c-1d71-8809-a01e-6898f6f2c586",
      "bank": "cases",
      "circulation": "matching",
      "heldFor": null,
      "heldAt": null,
      "disputedAt": "2026-11-25T11:41:16.767Z",
      "decidedAt": "2026-11-25T11:41:16.790Z"
    }
  },
  "removeSignal": {
    "params": {
      "bank": "NGO-1",
      "signalId": "97d02d50-5004-8c5f-9797-2bab0e9071b8"
    }
  },
  "removeWatch": {
    "params": {
      "watchId": "01a2128b-bab5-7cee-8abe-6ff65a11abfe"
    }
  },
  "removeWebhook": {
    "params": {
      "webhookId": "01a21282-98c9-704d-bd69-4b53758a53e3"
    }
  },
  "renewCase": {
    "params": {
      "caseNumber": "TBR-F3FA-6SG5-NJSG"
    },
    "body": {
      "pin": "384556"
    },
    "answer": {
      "expiresAt": "2026-11-26T11:41:19.687Z",
      "remindAt": "2026-11-25T23:41:17.710Z"
    }
  },
  "replayWebhookDelivery": {
    "params": {
      "webhookId": "01a21282-98c9-704d-bd69-4b53758a53e3",
      "deliveryId": "sRl_Lcka2Fb99gNGUDvLvB"
    },
    "answer": {
      "deliveryId": "sRl_Lcka2Fb99gNGUDvLvB",
      "type": "webhook.ping",
      "state": "waiting",
      "createdAt": "2026-11-25T11:41:18.564Z",
      "tries": 0,
      "lastTryAt": "2026-11-25T11:41:19.051Z",
      "nextTryAt": "2026-11-25T11:41:19.074Z",
      "status": 204,
      "failure": null
    }
  },
  "restoreKey": {
    "params": {
      "keyId": "mv5vj5tktv"
    }
  },
  "revokeKey": {
    "params": {
      "keyId": "gep8g5zftj"
    }
  },
  "rotateKey": {
    "params": {
      "keyId": "mv5vj5tktv"
    },
    "body": {
      "overlapHours": 24
    },
    "answer": {
      "keyId": "gep8g5zftj",
      "key": "an-api-key"
    }
  },
  "rotateWebhookSecret": {
    "params": {
      "webhookId": "01a21298-8a56-7327-88cc-563c01e0da96"
    },
    "answer": {
      "webhookId": "01a21298-8a56-7327-88cc-563c01e0da96",
      "url": "https://hooks.example.com/tabir",
      "events": [
        "match.found",
        "signal.withdrawn"
      ],
      "enabled": true,
      "maxPerSecond": 5,
      "createdAt": "2026-11-25T12:05:16.502Z",
      "failures": 0,
      "failingSince": null,
      "oldSecretUntil": "2026-11-26T12:05:17.811Z",
      "secret": "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    }
  },
  "takeBackDecision": {
    "params": {
      "signalId": "040f330f-71c4-8f5c-a2c9-3d68c362fbf5"
    },
    "answer": {
      "tier": "ngo-attested",
      "category": "nude",
      "disputed": false,
      "dispute": {
        "state": "rejected",
        "reasons": [
          "harmless-content"
        ]
      },
      "provenance": {
        "source": "case",
        "registeredOn": "2026-11-25",
        "attestations": 1,
        "verifications": 0,
        "confirmations": 1,
        "refusals": 0
      },
      "signalId": "040f330f-71c4-8f5c-a2c9-3d68c362fbf5",
      "bank": "cases",
      "circulation": "matching",
      "heldFor": null,
      "heldAt": null,
      "disputedAt": "2026-11-25T14:11:51.132Z",
      "decidedAt": "2026-11-25T14:11:51.182Z"
    }
  },
  "verifySignal": {
    "params": {
      "signalId": "1a22489c-1d71-8809-a01e-6898f6f2c586"
    },
    "answer": {
      "tier": "verified",
      "category": "nude",
      "disputed": false,
      "dispute": {
        "state": "rejected",
        "reasons": [
          "harmless-content"
        ]
      },
      "provenance": {
        "source": "case",
        "registeredOn": "2026-11-25",
        "attestations": 1,
        "verifications": 1,
        "confirmations": 1,
        "refusals": 0
      },
      "signalId": "1a22489c-1d71-8809-a01e-6898f6f2c586",
      "bank": "cases",
      "circulation": "matching",
      "heldFor": null,
      "heldAt": null,
      "disputedAt": "2026-11-25T11:41:16.767Z",
      "decidedAt": "2026-11-25T11:41:16.790Z"
    }
  },
  "watch": {
    "body": {
      "days": 30,
      "watches": [
        {
          "reference": "upload-7731",
          "signals": [
            {
              "type": "pdq",
              "hash": "9a1b7c3e5d2f4860b1d9e7a35c4f02861e8d7b6a953c4f20d1e7a8b9c6503f4d"
            }
          ]
        }
      ]
    },
    "answer": {
      "watches": [
        {
          "watchId": "01a2128b-bab5-7cee-8abe-6ff65a11abfe",
          "reference": "upload-7731",
          "until": "2026-12-25T11:51:16.917Z"
        }
      ]
    }
  },
  "withdrawCase": {
    "params": {
      "caseNumber": "TBR-F3FA-6SG5-NJSG"
    },
    "answer": {
      "type": "tabir-receipt",
      "version": 1,
      "caseNumber": "TBR-F3FA-6SG5-NJSG",
      "state": "withdrawn",
      "openedAt": "2026-11-25T11:41:15.733Z",
      "endedAt": "2026-11-25T11:41:19.872Z",
      "images": 2,
      "hashes": 20,
      "keyId": "vopOm0-UDYJBCsqCt0WJor8FY9vfyY_eBYLdh4cCVQk",
      "signature": "L3YuRUd9Wig8MDCgVQMJVzXpi2Sb1MXvNX5cccdf1qszR9zkqYeLJ5jDSo-vpEQbb5RRLKOGJtDsnPr85G3dBA"
    }
  }
}
