internal import ControlPlane

/// What goes back to a client of the query protocol.
public struct EC2Answer: Sendable, Equatable {
    /// The HTTP status.
    public var status: Int
    /// XML.
    public var body: String
    /// The id that client and log both have.
    public var requestID: String
    /// For the log alone: what was asked for, where that was understood.
    public var action: String?
    /// For the log alone: what the client may not read.
    public var logged: String?

    /// `<ActionResponse xmlns="http://ec2.amazonaws.com/doc/VERSION/">`, the request's id first.
    static func success(
        _ action: String, version: String, requestID: String, _ body: (inout XMLWriter) -> Void
    ) -> EC2Answer {
        let text = XMLWriter.document("\(action)Response", namespace: "http://ec2.amazonaws.com/doc/\(version)/") {
            $0.add("requestId", requestID)
            body(&$0)
        }
        return EC2Answer(status: 200, body: text, requestID: requestID, action: action)
    }

    /// The error envelope; `RequestID` is spelled so.
    static func refusal(_ failure: EC2Failure, of action: String? = nil, requestID: String) -> EC2Answer {
        Deed.refuse(failure.code)
        var writer = XMLWriter()
        writer.add("Response") { response in
            response.add("Errors") { errors in
                errors.add("Error") { error in
                    error.add("Code", failure.code)
                    error.add("Message", failure.message)
                }
            }
            response.add("RequestID", requestID)
        }
        let text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + writer.text
        return EC2Answer(
            status: failure.status, body: text, requestID: requestID, action: action, logged: failure.logged)
    }
}
