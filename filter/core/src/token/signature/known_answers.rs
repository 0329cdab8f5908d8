//! One good signature of each algorithm, for the self-test by which a backend shows what it can do.
//!
//! They are made with the published test keys of `host-tests/tokens`; a test below makes them again. That everybody can sign with the private
//! halves does no harm: nothing is trusted for being signed with them, a backend is only asked what it makes of them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::PublicKey;
use crate::token::Algorithm;

/// A signature of [`Self::MESSAGE`] that is good.
pub(super) struct KnownAnswer {
    /// What it is made with.
    pub(super) algorithm: Algorithm,
    key: fn() -> Option<PublicKey>,
    /// In base64url, as every number in here.
    signature: &'static str,
}

impl KnownAnswer {
    /// What is signed.
    pub(super) const MESSAGE: &'static [u8] = b"hallpass known-answer test";

    /// The key and the signature. `None` cannot be: a test reads them all.
    pub(super) fn read(&self) -> Option<(PublicKey, Vec<u8>)> {
        (self.key)().zip(decode(self.signature))
    }
}

/// A good signature for each of [`Algorithm::ALL`], in that order.
pub(super) const KNOWN_ANSWERS: [KnownAnswer; 10] = [
    KnownAnswer {
        algorithm: Algorithm::Rs256,
        key: rsa,
        signature: "l-_qEidCEsXJT6GJDiHfIVL1k8g5iyZScXrHl6p9-ruDOJMTaRUznTiZVYY4cdQESeoYTqz7QVV7ELTFrEZfaK85Yh28_rqUlrKXvy1ChXfJLR3JdNFL9zGR9JBqTv2Rh3BeydDMjz08_oaXdCJnXc1vx9dxEhn9tHqEku0Ifp_aXaE25FdhHv6NpIwLg1WpXwh6wN5rOuyz4E_5BjXubMCZNib3BtPPgUAOxgDoPhtuJMjn9r1s5DlAKa54UoBNu3XmrjonfYR_iZZ85TvQAikJPArPvy12XO7jVesAWp8j9zFxlamB3ml_g_h10C8SxsqJGMZ96qiYG5hCx8COVw",
    },
    KnownAnswer {
        algorithm: Algorithm::Rs384,
        key: rsa,
        signature: "bH0CWR3IL1gHY1z2dl4_fRZfJybXQW5-hrDGdXSk1xmMSN3Pn2xNL2EF0ocyvNSeWBPI1UVopDIciGW-HdfPWJqpx0j_LgphFLBkpXQmOhxoPSZ-0FU06-EHtzqFHB6NRcD7JmtyWJLf7Dvk6hxTksPza53drA1x8tDRQaT8G3GfpF0LjnmM7zqBf8XlnqZ4XbacvPuhLLOXaUYeYskbUwLd1vKVFQgRc1gmkCdj92DhnAbwY1BsgoEJW_tvVGv0gV7yi8u5AT1QyoNASKVl2uErt_UBNZLEIgBS5DE0vMMBSRrrSEFeDloCzHQGq4n-VJWK71sKreFM-2NiCWASoQ",
    },
    KnownAnswer {
        algorithm: Algorithm::Rs512,
        key: rsa,
        signature: "Y1xa7hAnqNDr-h3aTLk1TuVait5ZWYOHw6Vn--bG1-utB5Ji_YthyLRFrYiz86x1Gm8bwHLSqn8O-lpd8CHKpZe5AV7i8wJUEbqQ5coMF21kAE38cKL1YQg3skiy0DRKb02ApRkj6Hkf1H_uNe0R58xcblh7uBmMCmZ6nkOSZQv6z5F250SuvQpvMtvhJxv2Syx5vcvsYTGwK9gBihA5g7JU1ytrGpvQmClj_RH50KUiNP8tnMtvsY0MiCv8JxyxKJIcpy5b-8qjuoSUbqMd7joyW-GqvzxCRBJvDIqQ5DUqp9mmyvy7cAggGZDuuO1nDjKFpv4jL0RsFEMzfgmC1w",
    },
    KnownAnswer {
        algorithm: Algorithm::Ps256,
        key: rsa,
        signature: "0pNHW2nO2-umk6i73mqX9vO9x4yLTWEZaoslKtF0jDOXEwVoa1JzgU6pnCG3-VX1Sm8qZQOpRMnQPTAWFeJaq78_oIWy9HeMuk7R9_OymvfKn60WNO8Wes8V2AQj4b72hgwzI1PJl30c8yavVNRdm8i7nDk8oD8Qki1yAUzpZzLMXS3bCn5-HwKLtDl_DIXNTmbIi27T7izwluX6QRqZ7TuWOwLbJdBxmYs5U1KoDnWAnk0KVIut02pZJKWPK38eN4cYP5NvgHNydIU9Wru-vcKtpD-tifUK9_oVapXTTQk8nD0niNdeBJurGOz0KQ7tMClat_FR_gIcM1laH4baJQ",
    },
    KnownAnswer {
        algorithm: Algorithm::Ps384,
        key: rsa,
        signature: "wx7MCvnPPM-SCjp7l3rJbDUq9-lV0dhwmfCXI0XRI0HlRDLEr3KFV_DupN4UTVuxbvsjpy7Sb_2__1zpZT3pfD9rkYH7nOxyfHN-5PmKYx1gHl9UMLVomxIA_5c6yMKs_DBiwEi1_kNEtKphrkzDiisziTgZz8H0tJhr5ppEPz4MnLLA6ModLJpeqs4cDMAdKRNbGbgk6VkgT__vdui9VwWtv8QJArTeXB-pfGcf--1Hf0PV-cIRsJMJuSjWt6MnsBy0eEpKPA9lgBtqgX4qg50eQ74_3MymjeC-0fSV2--Ei4Spdv0W6ai54pTQRFAO8NjEp18NV2AiObNz1CrxFQ",
    },
    KnownAnswer {
        algorithm: Algorithm::Ps512,
        key: rsa,
        signature: "1Sfe0X5oo2kBqY4FqPpe17RsOskb6NFX3-6kBIqCYdA_v_DKCCZ4LY97jwD2wm1FccJetZdLlNSIIoDvRu5SozvK67DdsN-elY05UTdBxXuJ8qMPsAGmqPtwAqE9zdEfzMzCl2rAhsq5LtXaTiR46Klz0PlM37ZWttm-yAn-wYhtdeb45Vica3ScPxtXROc3hQGIOPjKJVZI_Q_A3ROsQOt0Xvw7YbfSN5g9T-cHBH9MHm5nC-mMlXwhZP8Oz5qpWe7KgZ2o8PBDF-XDx03Hm2VKKx-JqufaP9lJ12pjxGknORg-StnleBHhO10jYBnC5IREkhvW8FPjOBp05MBptg",
    },
    KnownAnswer {
        algorithm: Algorithm::Es256,
        key: p256,
        signature: "828o7dSJGqKqxgrNg6-g7WYCLAjoFkKIwQoZGeUSfWmnGgUf7P0O8ma2tDFF8OT_BL3O2OsK-qYHHPYTcSac2Q",
    },
    KnownAnswer {
        algorithm: Algorithm::Es384,
        key: p384,
        signature: "7zZeigVglgAF0mK87PmEo8unYrPLJrQ1ldpJiOxKugrcNebmzJPYrCDDOsKgQS6QM-sEXlLGMnK7O_6rApWGVBQupY0HUCGaGYqwIDdr7qWpey9KdvDdT6tCzEsRagjk",
    },
    KnownAnswer {
        algorithm: Algorithm::Es512,
        key: p521,
        signature: "AIxDoif_RgJlIRAL_a5KE3xsWYBHBzPAYv9Iacy7oLMcKL9_QeiCjMLKFdnb7VzPT1e5ri6nkzEHhIBiwU_bfC_gAeE_TLI5-ozeuwXPs9BUx3ekap_injfPm3KhYKTa49U29lbf1-UIoY4Ugj-MIuY-bUYBg2738dTRSuoq2QulIB-U",
    },
    KnownAnswer {
        algorithm: Algorithm::EdDsa,
        key: ed25519,
        signature: "wHAZcXyJazNXSGFefXlc5O1UF_MqYuk_Yo1bRzOvSTQCjgJQRE58_8E4B27TVFbFGktLBoOQM2_oyDZHu6JhDw",
    },
];

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// One key of 2048 bits for all that RSA can do.
fn rsa() -> Option<PublicKey> {
    let n = "8gEGhK2nFZlXpUpgRV3DVykvjvxC336l1OC-k2A3kZ2svPYzuv73scFTO26iSuLzdheZVkAkBr4qmQ9j_QWfSIUWsCjMRcX7A_EBf-UhGrL80PvvlipYFOqFgtBtidKHRR5Xe6jeragdU0GA_hgDRFw2quUsQDFqxc4_T3Xlywm7B0dMzRN6uUrLkZxPhQb6z1xiSoxDcv4XqEtUYgDvWU3tx80Nn2XHSM-lhHWSV94bqoketh8g3lpVGzwJ59DwNPjyqZ3i7Ep1sijed_BwqvNZyeHK2tvwU4xkxYcYTUJ95if4ZEqugfaO4J5umP-CV0KUMP5BLVYW9omx_TSlvw";
    let e = "AQAB";
    PublicKey::rsa(&decode(n)?, &decode(e)?)
}

fn p256() -> Option<PublicKey> {
    let x = "HhhTL9R1TALzBB2cdc6zO4P_2BrHzk_ogsyxyYvFiW4";
    let y = "pGwxHE4v9A3ZajZT5uRURdMt_khuztdcepDGoYiBwKM";
    PublicKey::p256(&decode(x)?, &decode(y)?)
}

fn p384() -> Option<PublicKey> {
    let x = "sBv8Si1_4gleZifMXK-avRU9W1Uf5_baYV2p0b_RAejRkehZAsCjTqo6FuZmiAtz";
    let y = "BZ9ljE1qblfAlZ3oAQmw-mtWvWPR1XAak9FTIvImehVSZkHGDNB8kSpt9Yqpk9ib";
    PublicKey::p384(&decode(x)?, &decode(y)?)
}

fn p521() -> Option<PublicKey> {
    let x =
        "ARz2dlOq-3MiZNykr7iHv9vM8J8nNzNbDv-4ov69QvYCeEz1G1mYHCsi3o_9JkRGNHZHNwAbV0ZWxtVDV5HnRejS";
    let y =
        "AT4BaL_ypUFR5c1ubbDb958sbalXbVL5tF8zwRAa1cZpMMmY6k1ptKMeTNg6qs6fXW66SNltpQl-WD0_t3HR-pGy";
    PublicKey::p521(&decode(x)?, &decode(y)?)
}

fn ed25519() -> Option<PublicKey> {
    let x = "_RckOFqgx1tk-3jNYC-h2ZH96_drE8WO1wLqyDXp9hg";
    PublicKey::ed25519(&decode(x)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jwks::KeySet;
    use hallpass_tokens::{SigningKey, jwks};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn each_algorithm_has_the_answer_that_its_test_key_gives() {
        let algorithms = KNOWN_ANSWERS.each_ref().map(|known| known.algorithm);
        assert_eq!(algorithms, Algorithm::ALL);
        for known in KNOWN_ANSWERS {
            let name = known.algorithm.name();
            let algorithm = hallpass_tokens::Algorithm::from_name(name).unwrap();
            let signing = SigningKey::of(algorithm, "k");
            let published = KeySet::from_value(&jwks(&[&signing])).unwrap().keys;
            let published = published.select(None, known.algorithm).unwrap();

            let (key, signature) = known.read().unwrap();
            assert_eq!(&key, published.public_key(), "{name}");
            assert_eq!(signature, signing.sign(KnownAnswer::MESSAGE), "{name}");
        }
    }
}
