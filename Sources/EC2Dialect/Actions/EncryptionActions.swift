internal import ControlPlane

extension EC2Dialect {
    static let encryptionActions = [
        EC2Action(
            "EnableEbsEncryptionByDefault", isChange: true,
            lacks: "refused while the server has no key"
        ) { call in
            try call.dryRun()
            return answer(isOn: try await call.verbs.accounts.set(encryptsByDefault: true).isOn)
        },
        EC2Action("DisableEbsEncryptionByDefault", isChange: true) { call in
            try call.dryRun()
            return answer(isOn: try await call.verbs.accounts.set(encryptsByDefault: false).isOn)
        },
        EC2Action("GetEbsEncryptionByDefault", isChange: false) { call in
            try call.dryRun()
            return answer(isOn: try await call.verbs.accounts.encryptionByDefault().isOn)
        },
        EC2Action("GetEbsDefaultKmsKeyId", isChange: false) { call in
            try call.dryRun()
            return answer(key: try await call.verbs.accounts.encryptionByDefault().keyId)
        },
        EC2Action("ModifyEbsDefaultKmsKeyId", isChange: true) { call in
            try call.dryRun()
            guard let key = call.parameters["KmsKeyId"], !key.isEmpty else { throw EC2Failure.missing("KmsKeyId") }
            let settled = try await call.verbs.accounts.set(defaultKey: key == usualKey ? nil : key)
            return answer(key: settled.keyId)
        },
        EC2Action("ResetEbsDefaultKmsKeyId", isChange: true) { call in
            try call.dryRun()
            return answer(key: try await call.verbs.accounts.set(defaultKey: nil).keyId)
        },
    ]

    /// The alias of the key that is used until another is chosen.
    private static let usualKey = "alias/aws/ebs"

    private static func answer(isOn: Bool) -> XMLWriter { .elements { $0.add("ebsEncryptionByDefault", isOn) } }

    private static func answer(key: String?) -> XMLWriter { .elements { $0.add("kmsKeyId", key ?? usualKey) } }
}
