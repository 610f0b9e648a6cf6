/// `TagSpecification.N.ResourceType` and `.Tag.M.Key|Value`: what a new object is to be tagged with.
enum TagSpecifications {
    /// - Parameters:
    ///   - kind: `volume`, `snapshot`: what the action makes.
    ///   - others: what it makes besides, whose tags are read apart. Tags of anything else are refused.
    static func read(
        _ call: EC2Call, for kind: String, orFor others: [String] = []
    ) throws(EC2Failure) -> [String: String] {
        var tags: [String: String] = [:]
        for specification in call.parameters.structures("TagSpecification") {
            guard let type = specification["ResourceType"], !type.isEmpty else {
                throw .missing("TagSpecification.ResourceType")
            }
            if others.contains(type) { continue }
            guard type == kind else {
                throw .invalidValue("'\(type)' is not a valid taggable resource type for this operation.")
            }
            for tag in specification.structures("Tag") {
                let (key, value) = try one(tag)
                guard tags.updateValue(value, forKey: key) == nil else { throw duplicate(key) }
            }
        }
        try check(count: tags.count)
        return tags
    }

    /// `Tag.N.Key` and `Tag.N.Value`, as CreateTags has them.
    static func read(list call: EC2Call) throws(EC2Failure) -> [String: String] {
        var tags: [String: String] = [:]
        for tag in call.parameters.structures("Tag") {
            let (key, value) = try one(tag)
            guard tags.updateValue(value, forKey: key) == nil else { throw duplicate(key) }
        }
        return tags
    }

    private static func duplicate(_ key: String) -> EC2Failure {
        .invalidValue("Duplicate tag key '\(key)' specified.")
    }

    private static func one(_ tag: RequestParameters) throws(EC2Failure) -> (String, String) {
        guard let key = tag["Key"], !key.isEmpty else {
            throw .invalidValue("Tag key cannot be empty.")
        }
        guard !key.lowercased().hasPrefix("aws:") else {
            throw .invalidValue(
                "Tag keys starting with 'aws:' are reserved for internal use")
        }
        let value = tag["Value"] ?? ""
        guard key.unicodeScalars.count <= 128 else {
            throw .invalidValue("Tag key exceeds the maximum length of 128 characters")
        }
        guard value.unicodeScalars.count <= 256 else {
            throw .invalidValue("Tag value exceeds the maximum length of 256 characters")
        }
        return (key, value)
    }

    private static func check(count: Int) throws(EC2Failure) {
        guard count <= 50 else {
            throw EC2Failure("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.")
        }
    }
}

extension XMLWriter {
    /// `tagSet`, in the order of keys. Describes leave it out without tags, creations do not.
    mutating func add(tags: [String: String]?, evenIfEmpty: Bool) {
        let tags = (tags ?? [:]).sorted { $0.key < $1.key }
        if tags.isEmpty, !evenIfEmpty { return }
        list("tagSet", tags) { writer, tag in
            writer.add("key", tag.key)
            writer.add("value", tag.value)
        }
    }
}
