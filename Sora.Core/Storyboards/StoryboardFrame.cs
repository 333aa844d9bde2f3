namespace Sora.Storyboards;

/// <summary>A picture that a storyboard's video shows at a time.</summary>
/// <param name="At">When, in seconds: 0 to the end of the last segment.</param>
/// <param name="File">The picture's file, scaled and cut to the video's size.</param>
public sealed record StoryboardFrame(double At, string File)
{
    /// <summary>Where it stands in its file, before a message.</summary>
    internal string Place { get; init; } = "";
}
