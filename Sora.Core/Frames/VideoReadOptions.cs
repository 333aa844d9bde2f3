namespace Sora.Frames;

/// <summary>Which frames of a file are read, and at what size. The defaults read all of it as it is.</summary>
public sealed record VideoReadOptions
{
    /// <summary>Width of the frames in pixels.</summary>
    /// <value>
    /// At least 1. Default null: the file's width, or what <see cref="Height"/> gives in the file's proportions.
    /// </value>
    public int? Width
    {
        get;
        init => field = AtLeastOne(value);
    }

    /// <summary>Height of the frames in pixels.</summary>
    /// <value>
    /// At least 1. Default null: the file's height, or what <see cref="Width"/> gives in the file's proportions.
    /// </value>
    public int? Height
    {
        get;
        init => field = AtLeastOne(value);
    }

    /// <summary>What happens when width and height are given and the file has another shape.</summary>
    /// <value>Default <see cref="FrameFit.Crop"/>.</value>
    public FrameFit Fit
    {
        get;
        init => field = Enum.IsDefined(value) ? value : throw new ArgumentOutOfRangeException(nameof(value));
    }

    /// <summary>Frames per second to read at; frames are repeated or left out, the nearest in time is taken.</summary>
    /// <value>Default null: every frame of the file once.</value>
    public FrameRate? FrameRate
    {
        get;
        init => field = value?.Checked(nameof(value));
    }

    /// <summary>The most frames that are read.</summary>
    /// <value>At least 1. Default null: all.</value>
    public int? MaxFrames
    {
        get;
        init => field = AtLeastOne(value);
    }

    /// <summary>Where reading starts, from the beginning of the file; ignored for an image.</summary>
    /// <value>Not negative. Default zero.</value>
    public TimeSpan Start
    {
        get;
        init => field = value >= TimeSpan.Zero
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, "Start is not negative.");
    }

    private static int? AtLeastOne(int? value)
    {
        if (value is int given)
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(given, nameof(value));
        }

        return value;
    }
}
