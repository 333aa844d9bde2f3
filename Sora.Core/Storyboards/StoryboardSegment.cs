namespace Sora.Storyboards;

/// <summary>A part of a storyboard: what the video shows from one time to another.</summary>
/// <param name="From">When it begins, in seconds; where the segment before ends.</param>
/// <param name="To">When it ends, in seconds; after <paramref name="From"/>.</param>
/// <param name="Prompt">The text that the video shows; not empty.</param>
public sealed record StoryboardSegment(double From, double To, string Prompt)
{
    /// <summary>The text that the video shows.</summary>
    /// <value>Not empty, without NUL characters.</value>
    /// <exception cref="SoraException">It is empty.</exception>
    public string Prompt { get; init => field = VideoRequest.RequireText(value); } = VideoRequest.RequireText(Prompt);

    /// <summary>Whether it is a new shot, which knows nothing of the one before; see <see cref="TimedPrompt.Cut"/>.</summary>
    /// <value>By default false: the picture goes on from where it is.</value>
    public bool Cut { get; init; }

    /// <summary>Where it stands in its file, before a message.</summary>
    internal string Place { get; init; } = "";
}
