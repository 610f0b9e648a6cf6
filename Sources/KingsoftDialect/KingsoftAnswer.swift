internal import ControlPlane

/// What goes back to a client.
public struct KingsoftAnswer: Sendable, Equatable {
    /// The HTTP status.
    public var status: Int
    /// JSON or XML.
    public var body: String
    /// Is it JSON?
    public var isJSON: Bool
    /// The id that client and log both have.
    public var requestID: String
    /// For the log alone: what was asked for, where that was understood.
    public var action: String?
    /// For the log alone: what the client may not read.
    public var logged: String?

    /// Of its body.
    public var type: String { isJSON ? "application/json;charset=UTF-8" : "text/xml;charset=UTF-8" }

    private static let declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

    /// `{"RequestId": ..., ...}`, or `<ActionResponse><ResponseMetadata><RequestId/></ResponseMetadata>...</ActionResponse>`.
    static func success(
        _ fields: KingsoftFields, of action: String, requestID: String, isJSON: Bool
    ) -> KingsoftAnswer {
        var text = ""
        if isJSON {
            var whole = KingsoftFields.with { $0.add("RequestId", requestID) }
            whole.append(fields)
            KingsoftValue.object(whole).writeJSON(into: &text)
        } else {
            let meta = KingsoftFields.with { $0.add("ResponseMetadata", .with { $0.add("RequestId", requestID) }) }
            var whole = meta
            whole.append(fields)
            text = declaration
            KingsoftFields.with { $0.add("\(action)Response", whole) }.writeXML(into: &text)
        }
        return KingsoftAnswer(status: 200, body: text, isJSON: isJSON, requestID: requestID, action: action)
    }

    /// The error envelope.
    static func refusal(
        _ failure: KingsoftFailure, of action: String? = nil, requestID: String, isJSON: Bool
    ) -> KingsoftAnswer {
        Deed.refuse(failure.code)
        let fields = KingsoftFields.with { fields in
            fields.add("RequestId", requestID)
            fields.add(
                "Error",
                .with { error in
                    error.add("Type", failure.type)
                    error.add("Code", failure.code)
                    error.add("Message", failure.message)
                })
        }
        var text = ""
        if isJSON {
            KingsoftValue.object(fields).writeJSON(into: &text)
        } else {
            text = declaration
            KingsoftFields.with { $0.add("ErrorResponse", fields) }.writeXML(into: &text)
        }
        return KingsoftAnswer(
            status: failure.status, body: text, isJSON: isJSON, requestID: requestID, action: action,
            logged: failure.logged)
    }
}
