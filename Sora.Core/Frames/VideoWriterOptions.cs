using System.Collections.ObjectModel;

namespace Sora.Frames;

/// <summary>What goes into a video file besides its frames.</summary>
public sealed record VideoWriterOptions
{
    /// <summary>
    /// Tags of the container, such as <c>title</c> and <c>comment</c>. Kept by .mp4, .m4v, .mov and .webm;
    /// .png, a folder of .png (in its first frame) and .gif keep the <c>comment</c>; the others are written without.
    /// </summary>
    /// <value>Names without <c>=</c>. Default empty.</value>
    /// <exception cref="ArgumentException">A name is empty or contains <c>=</c>, or a text contains a NUL.</exception>
    public IReadOnlyDictionary<string, string> Metadata
    {
        get;
        init => field = Validated(value);
    } = ReadOnlyDictionary<string, string>.Empty;

    private static SortedDictionary<string, string> Validated(IReadOnlyDictionary<string, string> metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);

        // Sorted, so that equal tags make equal files whatever the order of the caller's dictionary.
        var sorted = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach ((string name, string text) in metadata)
        {
            if (name.Length == 0 || name.AsSpan().ContainsAny('=', '\0') || text.AsSpan().Contains('\0'))
            {
                throw new ArgumentException(
                    $"'{name}' cannot be stored: a name is not empty and has no '=', a text has no NUL.",
                    nameof(metadata));
            }

            sorted.Add(name, text);
        }

        return sorted;
    }
}
