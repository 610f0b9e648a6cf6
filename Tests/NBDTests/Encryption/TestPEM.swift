/// Certificates for tests, valid until 2120 but for one. The keys guard nothing: they were made to be published here.
enum TestPEM {
    /// Signed server, client and stale; nobody has its key any more.
    static let authority = """
        -----BEGIN CERTIFICATE-----
        MIIBpjCCAUugAwIBAgIUP7cNfIcR+CqSdGZgyvbzHo1/tjkwCgYIKoZIzj0EAwIw
        HzEdMBsGA1UEAwwUVmFydmUgdGVzdCBhdXRob3JpdHkwIBcNMjYxMTI1MDk1MDA2
        WhgPMjEyNjExMDEwOTUwMDZaMB8xHTAbBgNVBAMMFFZhcnZlIHRlc3QgYXV0aG9y
        aXR5MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAExe+aVfBG4/YtwF1+awkpIaAr
        d6PDIjC0kaMG1pYdnEW+7v4Ktmt+/rn8CCs4+7cbkfYv/1a6lzINQx7WcwQ+cqNj
        MGEwHQYDVR0OBBYEFNlA8tX3H1ivNBmH/8Bc17wubFdoMB8GA1UdIwQYMBaAFNlA
        8tX3H1ivNBmH/8Bc17wubFdoMA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQD
        AgIEMAoGCCqGSM49BAMCA0kAMEYCIQDTGkWzhIDnPUglC+D7megGvVXs5Rvu36v5
        RrgiRMuQ2gIhALQA2MEiM78A7Fh3KGWXb11GKZVC9jeMl6hBEYWeOmU+
        -----END CERTIFICATE-----
        """
    /// For localhost and 127.0.0.1.
    static let server = """
        -----BEGIN CERTIFICATE-----
        MIIBjTCCATOgAwIBAgIBATAKBggqhkjOPQQDAjAfMR0wGwYDVQQDDBRWYXJ2ZSB0
        ZXN0IGF1dGhvcml0eTAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFow
        FDESMBAGA1UEAwwJbG9jYWxob3N0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
        vEGUfYxKU95Uk6O8+sjbbvtdM+2fdkRO1In21FfABTqQTnP1BSaPzUQwE8MFJDb1
        7uZCISjrZODoNSrmwNeFv6NpMGcwGgYDVR0RBBMwEYIJbG9jYWxob3N0hwR/AAAB
        MAkGA1UdEwQCMAAwHQYDVR0OBBYEFAHICNACUHB3/IpuLF9UpLEtycQMMB8GA1Ud
        IwQYMBaAFNlA8tX3H1ivNBmH/8Bc17wubFdoMAoGCCqGSM49BAMCA0gAMEUCIAiY
        PCQ8jHTXJfWgyQzhvCDdRNnQP7ExZPb+Wh8YhPmnAiEAtVP7EuPb29UKMD3+6TZs
        TWSlFPQsfO7rgOA/cAJQnYQ=
        -----END CERTIFICATE-----
        """
    static let serverKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg0fJorVeoLIZVVvbc
        mkcXNSpdAi3UxBgsj0Fatz55M7ChRANCAAS8QZR9jEpT3lSTo7z6yNtu+10z7Z92
        RE7UifbUV8AFOpBOc/UFJo/NRDATwwUkNvXu5kIhKOtk4Og1KubA14W/
        -----END PRIVATE KEY-----
        """
    /// Of alice.
    static let client = """
        -----BEGIN CERTIFICATE-----
        MIIBijCCAS+gAwIBAgIBATAKBggqhkjOPQQDAjAfMR0wGwYDVQQDDBRWYXJ2ZSB0
        ZXN0IGF1dGhvcml0eTAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFow
        EDEOMAwGA1UEAwwFYWxpY2UwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARc+Wyc
        nnQugxZfakQjO9soLx07qrEZyakVnINeQHYjwJYBJMUlLdoVrHeBaT8XAZz4FZke
        gicA16FPCtWWwKlZo2kwZzAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCQYD
        VR0TBAIwADAdBgNVHQ4EFgQUV/VwzHTzdvXKSrZZTsn9vNKVlHAwHwYDVR0jBBgw
        FoAU2UDy1fcfWK80GYf/wFzXvC5sV2gwCgYIKoZIzj0EAwIDSQAwRgIhAMavHBmi
        EBDCGXMLP+xPQ815ADY2N2f1ybWZoPcbnJLPAiEAjw9H4KJ/MBcG53fgJnQ4wYt/
        H153MV0quhgOzva71O4=
        -----END CERTIFICATE-----
        """
    static let clientKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg6rbx3CTYcKfG4m4+
        YbnJdfv9g9qmgsD0sjznJOvE8rKhRANCAARc+WycnnQugxZfakQjO9soLx07qrEZ
        yakVnINeQHYjwJYBJMUlLdoVrHeBaT8XAZz4FZkegicA16FPCtWWwKlZ
        -----END PRIVATE KEY-----
        """
    /// Of alice too, expired in 2021.
    static let stale = """
        -----BEGIN CERTIFICATE-----
        MIIBizCCATGgAwIBAgIBATAKBggqhkjOPQQDAjAfMR0wGwYDVQQDDBRWYXJ2ZSB0
        ZXN0IGF1dGhvcml0eTAeFw0yMDAxMDEwMDAwMDBaFw0yMTAxMDEwMDAwMDBaMBQx
        EjAQBgNVBAMMCW9sZC1hbGljZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABJR2
        dsQRzSUnah6QnOAA04WJoGb3IaBpuHNm7YcxoawdwxW7IS6B+JrcccxbQQW2cJOS
        0ZrwVoGsgnfoekLKE3yjaTBnMBoGA1UdEQQTMBGCCWxvY2FsaG9zdIcEfwAAATAJ
        BgNVHRMEAjAAMB0GA1UdDgQWBBRK4UCtCgMINIbnVSDJOeB6WgAipzAfBgNVHSME
        GDAWgBTZQPLV9x9YrzQZh//AXNe8LmxXaDAKBggqhkjOPQQDAgNIADBFAiEAqaZV
        gMe5itSWgEj6sj+aXLEA56zk6oS4vcEZolu2CqACIHl7wiqFgu+UBse9hcQ6uJ7l
        6VXo5Q+umi2wAe4ATuVp
        -----END CERTIFICATE-----
        """
    static let staleKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgshKFte/LOlnVcgod
        a3qs4D8/lYZD7gd7NxL3i2PwjpOhRANCAASUdnbEEc0lJ2oekJzgANOFiaBm9yGg
        abhzZu2HMaGsHcMVuyEugfia3HHMW0EFtnCTktGa8FaBrIJ36HpCyhN8
        -----END PRIVATE KEY-----
        """
    /// Signed stranger.
    static let otherAuthority = """
        -----BEGIN CERTIFICATE-----
        MIIBnjCCAUWgAwIBAgIUOlfaGcbxxWCB+XyXILH9s5dNLvwwCgYIKoZIzj0EAwIw
        HDEaMBgGA1UEAwwRQW5vdGhlciBhdXRob3JpdHkwIBcNMjYxMTI1MDk1MDA2WhgP
        MjEyNjExMDEwOTUwMDZaMBwxGjAYBgNVBAMMEUFub3RoZXIgYXV0aG9yaXR5MFkw
        EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEtyKLbd7hsEHHyO2s759wegkhji0N0kOg
        z0CkVtJVsIoaoPovUavCi4jISCzSqAfY1ja6xFBipbZ0URf79HJLeKNjMGEwHQYD
        VR0OBBYEFLOuuhtzZi1+2oR3Z8qC1RLddDcwMB8GA1UdIwQYMBaAFLOuuhtzZi1+
        2oR3Z8qC1RLddDcwMA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgIEMAoG
        CCqGSM49BAMCA0cAMEQCIAmySHIskHg9CX9h01iR7OT0cly43ynJE5MDKiMC8u0G
        AiAt2jhfE5pq+8pdudDeENzLV0ycduVK/h3XYAcaAyQxIQ==
        -----END CERTIFICATE-----
        """
    /// Signed by otherAuthority.
    static let stranger = """
        -----BEGIN CERTIFICATE-----
        MIIBiDCCAS6gAwIBAgIBATAKBggqhkjOPQQDAjAcMRowGAYDVQQDDBFBbm90aGVy
        IGF1dGhvcml0eTAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowEjEQ
        MA4GA1UEAwwHbWFsbG9yeTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABMrTOQTb
        6xNLq93YMu28mxSRkYLTl1SaIU5AFiYFmTwfZIYnZs2HR4a1XWOgPmJ54FwfmDEV
        CIfVmMwKXfNYwmajaTBnMBoGA1UdEQQTMBGCCWxvY2FsaG9zdIcEfwAAATAJBgNV
        HRMEAjAAMB0GA1UdDgQWBBT1xVHpr7OvMzad9X3H3QkaNqgn5DAfBgNVHSMEGDAW
        gBSzrrobc2YtftqEd2fKgtUS3XQ3MDAKBggqhkjOPQQDAgNIADBFAiEAvfEiwX8R
        OPDBCQFrftQA/BuATA2Ztgmlt39xSdtLGj0CIA+MpyVcKpHNQlwz1R9IidoZ0+H0
        P9wxzkeyiFvg4INf
        -----END CERTIFICATE-----
        """
    static let strangerKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgtNCZ0h6dFD+N7Vqy
        CZwofh6GMBrolMDUZmoEsl1UXzGhRANCAATK0zkE2+sTS6vd2DLtvJsUkZGC05dU
        miFOQBYmBZk8H2SGJ2bNh0eGtV1joD5ieeBcH5gxFQiH1ZjMCl3zWMJm
        -----END PRIVATE KEY-----
        """
}
