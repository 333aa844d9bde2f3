namespace Sora.Continuation;

/// <summary>Where a video is extended.</summary>
public enum ExtensionDirection
{
    /// <summary>After its last frame.</summary>
    Forward,

    /// <summary>Before its first frame.</summary>
    Backward,

    /// <summary>Before its first and after its last frame.</summary>
    Both,
}
