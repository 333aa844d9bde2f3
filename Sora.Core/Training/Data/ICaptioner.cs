namespace Sora.Training.Data;

/// <summary>Writes a detailed caption for a clip: a vision-language model in this process, a service, or a rule.</summary>
public interface ICaptioner
{
    /// <summary>A name that changes when its captions do: they are kept under it.</summary>
    string Name { get; }

    /// <summary>Describes a clip.</summary>
    /// <param name="clips">Gives the clip's pixels, size and short captions.</param>
    /// <param name="clip">Which.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The caption; empty where it has nothing to say.</returns>
    string Describe(IClipSource clips, int clip, CancellationToken cancellationToken);
}
