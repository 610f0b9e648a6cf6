/// Tags of objects: `Tag.N.Key` and `Tag.N.Value`; old clients write `key` and `value`.
enum Tags {
    static let countMax = 20

    /// Those that something is to have.
    static func read(
        _ parameters: ECSParameters, orElse tooMany: ECSFailure = .tooManyTags
    ) throws(ECSFailure) -> [String: String] {
        var tags: [String: String] = [:]
        for (key, value) in pairs(parameters) {
            guard let key, isText(key, 1...128), !key.hasPrefix("aliyun"), !key.hasPrefix("acs:") else {
                throw ECSFailure(400, "InvalidTagKey.Malformed", "The specified Tag.n.Key is not valid.")
            }
            guard isText(value ?? "", 0...128) else {
                throw ECSFailure(400, "InvalidTagValue.Malformed", "The specified Tag.n.Value is not valid.")
            }
            guard tags.updateValue(value ?? "", forKey: key) == nil else {
                throw ECSFailure(400, "Duplicate.TagKey", "The Tag.N.Key contain duplicate key.")
            }
        }
        guard tags.count <= countMax else { throw tooMany }
        return tags
    }

    /// Those that what is asked for must have: all of them; a key alone with any value.
    static func filter(_ parameters: ECSParameters) throws(ECSFailure) -> [(key: String, value: String?)] {
        let pairs = pairs(parameters)
        guard pairs.count <= countMax else {
            throw ECSFailure(400, "InvalidTagCount", "The specified tags are beyond the permitted range.")
        }
        var filter: [(key: String, value: String?)] = []
        for (key, value) in pairs {
            guard let key, !key.isEmpty else {
                throw ECSFailure(
                    400, "InvalidTag.Mismatch", "The specified Tag.n.Key and Tag.n.Value are not match.")
            }
            filter.append((key, value))
        }
        return filter
    }

    static func match(_ tags: [String: String]?, _ filter: [(key: String, value: String?)]) -> Bool {
        filter.allSatisfy { wanted in
            guard let value = tags?[wanted.key] else { return false }
            return wanted.value == nil || wanted.value == value
        }
    }

    /// `Tags.Tag[]` with the given names.
    static func write(
        _ tags: [String: String]?, into fields: inout ECSFields, key: String = "TagKey", value: String = "TagValue"
    ) {
        let sorted = (tags ?? [:]).sorted { $0.key < $1.key }
        fields.add(
            "Tags", listOf: "Tag",
            sorted.map { tag in
                ECSFields.of {
                    $0.add(key, tag.key)
                    $0.add(value, tag.value)
                }.value
            })
    }

    private static func pairs(_ parameters: ECSParameters) -> [(key: String?, value: String?)] {
        parameters.numbers("Tag").map { number in
            (
                parameters.raw("Tag.\(number).Key") ?? parameters.raw("Tag.\(number).key"),
                parameters.raw("Tag.\(number).Value") ?? parameters.raw("Tag.\(number).value")
            )
        }
    }

    /// Has it so many characters, and no address in it?
    static func isText(_ text: String, _ count: ClosedRange<Int>) -> Bool {
        count.contains(text.unicodeScalars.count) && !text.contains("http://") && !text.contains("https://")
    }
}
