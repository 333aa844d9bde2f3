using System.Globalization;

namespace Sora.Training.Metrics;

/// <summary>
/// An event file for TensorBoard (<c>tensorboard --logdir RUN_FOLDER</c>). Every start of a training makes one; TensorBoard
/// joins those of a folder by their steps.
/// </summary>
internal sealed class EventFile : IDisposable
{
    private readonly string _path;
    private readonly FileStream _stream;

    /// <summary>Starts a file.</summary>
    /// <param name="folder">The folder that TensorBoard is pointed at.</param>
    /// <param name="step">The steps taken so far; what earlier files say of later ones no longer counts.</param>
    /// <exception cref="SoraException">The file cannot be written.</exception>
    public EventFile(string folder, long step)
    {
        _path = Name(folder);
        try
        {
            _stream = new FileStream(_path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SoraException($"{_path}: cannot be written: {e.Message}", e);
        }
        Write(EventMessage.Version(WallTime));
        if (step > 0)
            Write(EventMessage.Start(WallTime, step + 1));
    }

    private static double WallTime => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000.0;

    /// <summary>Adds numbers.</summary>
    public void Add(long step, IEnumerable<(string Tag, double Value)> scalars) => Write(EventMessage.Scalars(WallTime, step, scalars));

    /// <summary>Adds a picture.</summary>
    public void Add(long step, string tag, PngImage image) => Write(EventMessage.Image(WallTime, step, tag, image));

    /// <summary>Closes the file.</summary>
    public void Dispose() => _stream.Dispose();

    // TensorBoard reads files whose name holds "tfevents", in the order of the names: seconds, then a count within one.
    private static string Name(string folder)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"events.out.tfevents.{DateTimeOffset.UtcNow.ToUnixTimeSeconds():D10}.sora");
        for (int count = 0; ; count++)
        {
            string path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{name}.{count}"));
            if (!File.Exists(path))
                return path;
        }
    }

    private void Write(byte[] message)
    {
        try
        {
            _stream.Write(RecordFraming.Frame(message));
            _stream.Flush();
        }
        catch (IOException e)
        {
            throw new SoraException($"{_path}: cannot be written: {e.Message}", e);
        }
    }
}
