using System.Globalization;

namespace Sora.Cli;

/// <summary>A picture's file and its place in the video, written <c>fish.png@8</c>.</summary>
internal readonly record struct FrameAt(string File, int Index)
{
    /// <exception cref="SoraException">Not a file and a whole number with an @ between.</exception>
    public static FrameAt Parse(string text)
    {
        // The last one: the name of a file may hold others.
        int at = text.LastIndexOf('@');
        if (at > 0 && int.TryParse(text.AsSpan(at + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int index))
            return new FrameAt(text[..at], index);
        throw new SoraException($"--known '{text}' is not a picture's file and its index in the video from 0, such as fish.png@8.");
    }
}
