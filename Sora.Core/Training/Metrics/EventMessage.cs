using Google.Protobuf;
using static Google.Protobuf.WireFormat;

namespace Sora.Training.Metrics;

/// <summary>
/// The few fields of TensorBoard's messages that a training writes: <c>Event</c> (tensorflow/core/util/event.proto) and
/// <c>Summary</c> (tensorflow/core/framework/summary.proto). Numbers in the code are the protocol's field numbers.
/// </summary>
internal static class EventMessage
{
    private const int SessionStart = 1;

    /// <summary>What a file begins with.</summary>
    public static byte[] Version(double wallTime) => Event(wallTime, 0, output =>
    {
        output.WriteTag(3, WireType.LengthDelimited);                                     // Event.file_version
        output.WriteString("brain.Event:2");
    });

    /// <summary>Tells TensorBoard to forget what other files say from a step on.</summary>
    public static byte[] Start(double wallTime, long step) => Event(wallTime, step, output =>
    {
        output.WriteTag(7, WireType.LengthDelimited);                                     // Event.session_log
        output.WriteBytes(Message(log =>
        {
            log.WriteTag(1, WireType.Varint);                                             // SessionLog.status
            log.WriteEnum(SessionStart);
        }));
    });

    /// <summary>Numbers at a step.</summary>
    public static byte[] Scalars(double wallTime, long step, IEnumerable<(string Tag, double Value)> values) =>
        Summary(wallTime, step, values.Select(value => Message(output =>
        {
            output.WriteTag(1, WireType.LengthDelimited);                                 // Value.tag
            output.WriteString(value.Tag);
            output.WriteTag(2, WireType.Fixed32);                                         // Value.simple_value
            output.WriteFloat((float)value.Value);
        })));

    /// <summary>A picture at a step.</summary>
    public static byte[] Image(double wallTime, long step, string tag, PngImage image) =>
        Summary(wallTime, step, [Message(output =>
        {
            output.WriteTag(1, WireType.LengthDelimited);                                 // Value.tag
            output.WriteString(tag);
            output.WriteTag(4, WireType.LengthDelimited);                                 // Value.image
            output.WriteBytes(Message(picture =>
            {
                picture.WriteTag(1, WireType.Varint);                                     // Image.height
                picture.WriteInt32(image.Height);
                picture.WriteTag(2, WireType.Varint);                                     // Image.width
                picture.WriteInt32(image.Width);
                picture.WriteTag(3, WireType.Varint);                                     // Image.colorspace: 3, RGB
                picture.WriteInt32(3);
                picture.WriteTag(4, WireType.LengthDelimited);                            // Image.encoded_image_string
                picture.WriteBytes(ByteString.CopyFrom(image.Png));
            }));
        })]);

    private static byte[] Summary(double wallTime, long step, IEnumerable<ByteString> values) => Event(wallTime, step, output =>
    {
        output.WriteTag(5, WireType.LengthDelimited);                                     // Event.summary
        output.WriteBytes(Message(summary =>
        {
            foreach (ByteString value in values)
            {
                summary.WriteTag(1, WireType.LengthDelimited);                            // Summary.value
                summary.WriteBytes(value);
            }
        }));
    });

    private static byte[] Event(double wallTime, long step, Action<CodedOutputStream> write) => Message(output =>
    {
        output.WriteTag(1, WireType.Fixed64);                                             // Event.wall_time
        output.WriteDouble(wallTime);
        output.WriteTag(2, WireType.Varint);                                              // Event.step
        output.WriteInt64(step);
        write(output);
    }).ToByteArray();

    private static ByteString Message(Action<CodedOutputStream> write)
    {
        using var buffer = new MemoryStream();
        using (var output = new CodedOutputStream(buffer, leaveOpen: true))
            write(output);
        return ByteString.CopyFrom(buffer.GetBuffer(), 0, (int)buffer.Length);
    }
}
