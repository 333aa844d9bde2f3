using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Sora.Frames;
using Sora.Weights;

namespace Sora.Training.Data;

/// <summary>What is known of files that were scanned before, by content: a training that starts again does not read hours of video again.</summary>
internal sealed class ScanRecord
{
    private static readonly TimeSpan s_between = TimeSpan.FromSeconds(30);

    private readonly string? _path;
    private readonly string _settings;
    private readonly Dictionary<string, ScannedFile> _files;
    private readonly Stopwatch _sinceSaved = Stopwatch.StartNew();
    private bool _changed;

    /// <summary>Reads the record; scans under other settings are not used.</summary>
    /// <param name="path">The JSON file; null: nothing is kept.</param>
    /// <param name="rate">The rate of the scans.</param>
    /// <param name="cutThreshold">The threshold of their cuts.</param>
    public ScanRecord(string? path, FrameRate rate, double cutThreshold)
    {
        _path = path;
        _settings = string.Create(CultureInfo.InvariantCulture, $"{rate} frames a second, cuts at {cutThreshold}");
        _files = path is null || !File.Exists(path) ? [] : ConfigFile.Load(path, Read);
    }

    /// <summary>The scan of a content; null where it is not known.</summary>
    public ScannedFile? Find(string key) => _files.GetValueOrDefault(key);

    /// <summary>Keeps a scan in memory.</summary>
    public void Add(string key, ScannedFile file) => (_files[key], _changed) = (file, true);

    /// <summary>Writes what is new if the last time was half a minute ago.</summary>
    /// <exception cref="SoraException">The file cannot be written.</exception>
    public void SaveSometimes()
    {
        if (_sinceSaved.Elapsed > s_between)
            Save();
    }

    /// <summary>Writes what is new; the file is complete or as it was before.</summary>
    /// <exception cref="SoraException">It cannot be written.</exception>
    public void Save()
    {
        if (_path is null || !_changed)
            return;
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(_path))!);
        AtomicFile.Write(_path, 0, stream => JsonSerializer.Serialize(stream, new { settings = _settings, files = _files }));
        _changed = false;
        _sinceSaved.Restart();
    }

    private Dictionary<string, ScannedFile> Read(ConfigFields fields)
    {
        if (fields.OptionalText("settings") != _settings || fields.Find("files") is not { } files)
            return [];
        try
        {
            return files.Deserialize<Dictionary<string, ScannedFile>>() ?? [];
        }
        catch (JsonException)
        {
            return []; // Of another version: the files are scanned again.
        }
    }
}
