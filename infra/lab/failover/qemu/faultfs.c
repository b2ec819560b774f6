/*
 * faultfs BACKING MOUNTPOINT CONTROLFILE: a folder passed through by FUSE, with faults that can be switched.
 * One word in CONTROLFILE: "hang" (all calls wait), "hangw" (writes wait), "eio" (all calls fail), anything else: well.
 * Runs in the foreground and ends when it is unmounted. A waiting call ends when its caller is killed.
 */
#define FUSE_USE_VERSION 31
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *backing, *control;

static int fault(int writes)
{
  for (;;) {
    char word[16] = "";
    int fd = open(control, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
      return 0;
    if (read(fd, word, sizeof word - 1) < 0)
      word[0] = 0;
    close(fd);
    word[strcspn(word, "\n")] = 0;
    if (!strcmp(word, "eio"))
      return -EIO;
    if (strcmp(word, "hang") && !(writes && !strcmp(word, "hangw")))
      return 0;
    if (fuse_interrupted())
      return -EINTR;
    usleep(20000);
  }
}

static int result(long value) { return value < 0 ? -errno : (int)value; }

#define CHECK(writes) do { int f = fault(writes); if (f) return f; } while (0)
#define FULL(path) char full[4096]; snprintf(full, sizeof full, "%s%s", backing, path)

static int fs_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
  (void)fi;
  CHECK(0);
  FULL(path);
  return result(lstat(full, st));
}

static int fs_readlink(const char *path, char *to, size_t size)
{
  CHECK(0);
  FULL(path);
  ssize_t n = readlink(full, to, size - 1);
  if (n < 0)
    return -errno;
  to[n] = 0;
  return 0;
}

static int fs_readdir(const char *path, void *to, fuse_fill_dir_t add, off_t at, struct fuse_file_info *fi, enum fuse_readdir_flags how)
{
  (void)at, (void)fi, (void)how;
  CHECK(0);
  FULL(path);
  DIR *dir = opendir(full);
  if (!dir)
    return -errno;
  for (struct dirent *entry; (entry = readdir(dir));)
    add(to, entry->d_name, NULL, 0, 0);
  closedir(dir);
  return 0;
}

/* FUSE's own buffers are not aligned: the file below is opened without O_DIRECT. */
static int opened(int fd, struct fuse_file_info *fi)
{
  if (fd < 0)
    return -errno;
  fi->fh = fd;
  fi->direct_io = 1;
  return 0;
}

static int fs_open(const char *path, struct fuse_file_info *fi)
{
  CHECK(0);
  FULL(path);
  return opened(open(full, fi->flags & ~O_DIRECT), fi);
}

static int fs_create(const char *path, mode_t mode, struct fuse_file_info *fi)
{
  CHECK(1);
  FULL(path);
  return opened(open(full, (fi->flags & ~O_DIRECT) | O_CREAT, mode), fi);
}

static int fs_read(const char *path, char *to, size_t size, off_t at, struct fuse_file_info *fi)
{
  (void)path;
  CHECK(0);
  return result(pread(fi->fh, to, size, at));
}

static int fs_write(const char *path, const char *from, size_t size, off_t at, struct fuse_file_info *fi)
{
  (void)path;
  CHECK(1);
  return result(pwrite(fi->fh, from, size, at));
}

static int fs_fsync(const char *path, int data, struct fuse_file_info *fi)
{
  (void)path;
  CHECK(1);
  return result(data ? fdatasync(fi->fh) : fsync(fi->fh));
}

static int fs_release(const char *path, struct fuse_file_info *fi)
{
  (void)path;
  return result(close(fi->fh));
}

static void *fs_init(struct fuse_conn_info *conn, struct fuse_config *config)
{
  (void)conn;
  config->entry_timeout = config->attr_timeout = config->negative_timeout = 0;
  return NULL;
}

static const struct fuse_operations operations = {
  .init = fs_init, .getattr = fs_getattr, .readlink = fs_readlink, .readdir = fs_readdir, .open = fs_open,
  .create = fs_create, .read = fs_read, .write = fs_write, .fsync = fs_fsync, .release = fs_release,
};

int main(int count, char **words)
{
  if (count != 4)
    return 2;
  backing = realpath(words[1], NULL);
  control = words[3];
  if (!backing)
    return 1;
  char *args[] = { words[0], words[2], "-f", NULL };
  return fuse_main(3, args, &operations, NULL);
}
