namespace Sora.Training.Data;

/// <summary>What is known of a clip before it is drawn.</summary>
/// <param name="Key">Thirty-two hexadecimal digits, a hash of all that decides the pixels: another content is another key.</param>
/// <param name="Shape">Its size, valid for the model's strides.</param>
/// <param name="FramesPerSecond">Its rate.</param>
/// <param name="Name">What a message calls it, as in <c>fish.mp4 at 12.5 s</c>.</param>
public sealed record ClipInfo(string Key, ClipShape Shape, double FramesPerSecond, string Name);
