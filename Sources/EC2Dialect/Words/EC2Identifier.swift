/// Ids as Amazon's clients send them: a prefix and 17 or 8 lower-case hexadecimal digits.
enum EC2Identifier {
    /// Has `text` such digits after `prefix`? All zeros are no id.
    static func isForm(_ text: String, prefix: String) -> Bool {
        guard text.hasPrefix(prefix) else { return false }
        let digits = text.dropFirst(prefix.count)
        return [8, 17].contains(digits.utf8.count)
            && digits.allSatisfy { $0.isASCII && $0.isHexDigit && !$0.isUppercase }
            && !digits.allSatisfy { $0 == "0" }
    }

    /// The one volume that most actions name.
    static func volume(_ call: EC2Call) throws(EC2Failure) -> String {
        guard let id = call.parameters["VolumeId"], !id.isEmpty else {
            throw EC2Failure(
                "MissingParameter",
                "Value (null) for parameter volumeId is invalid. Parameter may not be null or empty.")
        }
        guard id.hasPrefix("vol-") else {
            throw .invalidValue("Value (\(id)) for parameter volumeId is invalid. Expected: 'vol-...'.")
        }
        guard isForm(id, prefix: "vol-") else {
            throw EC2Failure("InvalidVolumeID.Malformed", "Value ( \(id) ) for parameter VOLUME is invalid. ")
        }
        return id
    }

    /// A snapshot's id under `name`.
    static func snapshot(_ id: String?) throws(EC2Failure) -> String {
        guard let id, !id.isEmpty else {
            throw EC2Failure(
                "MissingParameter",
                "Value (null) for parameter snapshotId is invalid. Parameter may not be null or empty.")
        }
        guard id.hasPrefix("snap-") else {
            throw .invalidValue("Value (\(id)) for parameter snapshotId is invalid. Expected: 'snap-...'.")
        }
        guard isForm(id, prefix: "snap-") else {
            throw EC2Failure("InvalidSnapshotID.Malformed", "Value ( \(id) ) for parameter SNAPSHOT is invalid. ")
        }
        return id
    }

    static func checkInstance(_ id: String) throws(EC2Failure) {
        guard isForm(id, prefix: "i-") else { throw EC2Failure("InvalidInstanceID.Malformed", "Invalid id: \"\(id)\"") }
    }

    static func noInstance(_ id: String) -> EC2Failure {
        EC2Failure("InvalidInstanceID.NotFound", "The instance ID '\(id)' does not exist")
    }
    static func noVolume(_ id: String) -> EC2Failure {
        EC2Failure("InvalidVolume.NotFound", "The volume '\(id)' does not exist.")
    }
    static func noSnapshot(_ id: String) -> EC2Failure {
        EC2Failure("InvalidSnapshot.NotFound", "The snapshot '\(id)' does not exist.")
    }
}
